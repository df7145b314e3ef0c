using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>Makes and deletes a recipe's nodes so that a lost connection leaves neither a second node nor one behind.</summary>
internal static class OwnNode
{
    // A folder that nobody uses may be cleared away between its making and the node's; so often in a row it is not.
    private const int Attempts = 8;

    /// <summary>
    /// Makes an ephemeral sequential node. Its name begins with a number drawn for it alone: where the answer was lost, it is looked for
    /// by that before another is made.
    /// </summary>
    public static async Task<CreatedNode> CreateAsync(CoordinationClient client, string folder, string kind, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        string mark = $"_c_{Guid.NewGuid():N}-";
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    return await client.CreateAsync(Join(folder, mark + kind), data, CreateMode.EphemeralSequential, ct: ct);
                }
                catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode && attempt < Attempts)
                {
                    await EnsureAsync(client, folder, ct);
                }
                catch (ConnectionLossException)
                {
                    if (await FindAsync(client, folder, mark, ct) is CreatedNode made)
                    {
                        return made;
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The request may be on its way all the same.
            _ = AbandonAsync(client, folder, mark);
            throw;
        }
    }

    /// <summary>Makes a node, and what is missing above it, that is as good when it is there already: of this call or another's.</summary>
    public static async Task SetAsync(CoordinationClient client, string path, CreateMode mode, CancellationToken ct)
    {
        int slash = path.LastIndexOf('/');
        while (true)
        {
            try
            {
                await client.CreateAsync(path, mode: mode, ct: ct);
                return;
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NodeExists)
            {
                return;
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode && slash > 0)
            {
                await EnsureAsync(client, path[..slash], ct);
            }
            catch (ConnectionLossException)
            {
                // The next attempt finds it or makes it.
            }
        }
    }

    /// <summary>Makes a folder and what is missing above it, as containers: they go some time after their last child.</summary>
    /// <exception cref="CoordinationException">It cannot be made; <see cref="ErrorCode.NoNode"/> where the client's root is missing.</exception>
    public static async Task EnsureAsync(CoordinationClient client, string folder, CancellationToken ct)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                for (int slash = folder.IndexOf('/', 1); slash >= 0; slash = folder.IndexOf('/', slash + 1))
                {
                    await MakeAsync(folder[..slash]);
                }
                await MakeAsync(folder);
                return;
            }
            catch (CoordinationException e) when (e.ErrorCode is ErrorCode.NoNode or ErrorCode.ConnectionLoss && attempt < Attempts)
            {
                // What was made above may have been cleared away again.
            }
        }

        async Task MakeAsync(string path)
        {
            try
            {
                if (path.Length > 1 && await client.ExistsAsync(path, ct) is null)
                {
                    await client.CreateAsync(path, mode: CreateMode.Container, ct: ct);
                }
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NodeExists)
            {
                // Another was first.
            }
        }
    }

    /// <summary>Deletes a node, over lost connections, until it is gone for certain: deleted, or gone with its session.</summary>
    public static async Task DeleteAsync(CoordinationClient client, string path)
    {
        while (true)
        {
            try
            {
                await client.DeleteAsync(path);
                return;
            }
            catch (ConnectionLossException)
            {
                // Once more: deleting what is deleted does no harm, nobody else has a node of this name.
            }
            catch (Exception e) when (e is CoordinationException { ErrorCode: ErrorCode.NoNode } or SessionExpiredException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    public static string Join(string folder, string name) => folder == "/" ? "/" + name : $"{folder}/{name}";

    private static async Task<CreatedNode?> FindAsync(CoordinationClient client, string folder, string mark, CancellationToken ct)
    {
        // The new connection's server may be behind the one that took the request.
        await client.SyncAsync(folder, ct);
        try
        {
            NodeChildren children = await client.GetChildrenAsync(folder, ct);
            string? name = children.Children.FirstOrDefault(c => c.StartsWith(mark, StringComparison.Ordinal));
            return name is not null && await client.ExistsAsync(Join(folder, name), ct) is Stat stat ? new CreatedNode(Join(folder, name), stat) : null;
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
        {
            return null;
        }
    }

    private static async Task AbandonAsync(CoordinationClient client, string folder, string mark)
    {
        try
        {
            if (await FindAsync(client, folder, mark, CancellationToken.None) is CreatedNode made)
            {
                await DeleteAsync(client, made.Path);
            }
        }
        catch (Exception e) when (e is CoordinationException or ObjectDisposedException)
        {
            // With its session it goes too.
        }
    }
}
