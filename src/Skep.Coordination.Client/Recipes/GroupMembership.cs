using System.Runtime.CompilerServices;
using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>A member of a group: its name, and what it says of itself.</summary>
public readonly record struct GroupMember(string Name, ReadOnlyMemory<byte> Data);

/// <summary>Who is there: each member has an ephemeral node under the group's path.</summary>
/// <param name="client">Whose session stands for a member that joins.</param>
/// <param name="path">The group: a folder, made when it is needed.</param>
public sealed class GroupMembership(CoordinationClient client, string path)
{
    /// <summary>
    /// Joins under a name. Where an earlier session of the same name is still there, waits until it is gone. Disposing the handle leaves;
    /// its <see cref="LockHandle.LostToken"/> says that the others may take this member for gone.
    /// </summary>
    public async Task<LockHandle> JoinAsync(string name, ReadOnlyMemory<byte> data = default, CancellationToken ct = default)
    {
        string node = OwnNode.Join(path, name);
        while (true)
        {
            try
            {
                return new LockHandle(client, await client.CreateAsync(node, data, CreateMode.Ephemeral, ct: ct), null);
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
            {
                await OwnNode.EnsureAsync(client, path, ct);
            }
            catch (CoordinationException e) when (e.ErrorCode is ErrorCode.NodeExists or ErrorCode.ConnectionLoss)
            {
                using Watched<Stat?> there = await client.ExistsAndWatchAsync(node, ct);
                if (there.Value is Stat stat && stat.EphemeralOwner == client.SessionId)
                {
                    return new LockHandle(client, new CreatedNode(node, stat), null);
                }
                if (there.Value is not null)
                {
                    await there.Changed.WaitAsync(ct);
                }
            }
        }
    }

    /// <summary>The members now, by name.</summary>
    public async Task<IReadOnlyList<GroupMember>> GetMembersAsync(CancellationToken ct = default)
    {
        try
        {
            return await ReadAsync((await client.GetChildrenAsync(path, ct)).Children, ct);
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
        {
            return [];
        }
    }

    /// <summary>The members now, and anew each time that one has come or gone. What came and went between two looks is not told.</summary>
    public async IAsyncEnumerable<IReadOnlyList<GroupMember>> WatchAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        while (true)
        {
            using Watched<NodeChildren> children = await WatchChildrenAsync(ct);
            yield return await ReadAsync(children.Value.Children, ct);
            await children.Changed.WaitAsync(ct);
        }
    }

    private async Task<Watched<NodeChildren>> WatchChildrenAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                return await client.GetChildrenAndWatchAsync(path, ct);
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
            {
                await OwnNode.EnsureAsync(client, path, ct);
            }
        }
    }

    private async Task<IReadOnlyList<GroupMember>> ReadAsync(IReadOnlyList<string> names, CancellationToken ct)
    {
        GroupMember?[] members = await Task.WhenAll(names.Order(StringComparer.Ordinal).Select(ReadOneAsync));
        return [.. members.OfType<GroupMember>()];

        async Task<GroupMember?> ReadOneAsync(string name)
        {
            try
            {
                return new GroupMember(name, (await client.GetDataAsync(OwnNode.Join(path, name), ct)).Data);
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
            {
                return null;
            }
        }
    }
}
