using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>
/// Lets members begin together and end together. One path serves one round: another round takes another path, as members still leaving
/// could not be told from those who come anew.
/// </summary>
/// <param name="client">Whose session stands for the member.</param>
/// <param name="path">The barrier: a folder, made when it is needed.</param>
/// <param name="members">How many must have come before any goes on.</param>
public sealed class DistributedDoubleBarrier(CoordinationClient client, string path, int members)
{
    private const string Ready = "ready";
    private readonly string _own = OwnNode.Join(path, $"{Guid.NewGuid():N}");
    private readonly string _ready = OwnNode.Join(path, Ready);

    /// <summary>Comes to the barrier, and waits until all have come.</summary>
    public async Task EnterAsync(CancellationToken ct = default)
    {
        // The watch is set first: who comes last may be done before this one looks.
        using Watched<Stat?> ready = await client.ExistsAndWatchAsync(_ready, ct);
        await OwnNode.SetAsync(client, _own, CreateMode.Ephemeral, ct);
        if (ready.Value is not null)
        {
            return;
        }
        if ((await MembersAsync(ct)).Count >= members)
        {
            await OwnNode.SetAsync(client, _ready, CreateMode.Persistent, ct);
            return;
        }
        try
        {
            await ready.Changed.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            _ = OwnNode.DeleteAsync(client, _own);
            throw;
        }
    }

    /// <summary>Leaves the barrier, and waits until all have left.</summary>
    public async Task LeaveAsync(CancellationToken ct = default)
    {
        string own = _own[(_own.LastIndexOf('/') + 1)..];
        while (true)
        {
            List<string> still = await MembersAsync(ct);
            if (still.Count == 0 || (still.Count == 1 && still[0] == own))
            {
                await OwnNode.DeleteAsync(client, _own);
                await OwnNode.DeleteAsync(client, _ready);
                return;
            }
            // The lowest stays to the last and waits for the highest; all others leave and wait for the lowest. Nobody watches the folder.
            if (still[0] != own)
            {
                await OwnNode.DeleteAsync(client, _own);
            }
            using Watched<Stat?> other = await client.ExistsAndWatchAsync(OwnNode.Join(path, still[0] == own ? still[^1] : still[0]), ct);
            if (other.Value is not null)
            {
                await other.Changed.WaitAsync(ct);
            }
        }
    }

    private async Task<List<string>> MembersAsync(CancellationToken ct)
    {
        try
        {
            return [.. (await client.GetChildrenAsync(path, ct)).Children.Where(c => c != Ready).Order(StringComparer.Ordinal)];
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
        {
            return [];
        }
    }
}
