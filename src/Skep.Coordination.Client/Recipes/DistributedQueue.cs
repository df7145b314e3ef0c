using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>
/// Items that come out in the order they were put in, each to one taker, exactly once also over lost connections. A server lists all
/// items in one answer: thousands are fine, millions are not.
/// </summary>
/// <param name="client">Whose session puts and takes.</param>
/// <param name="path">The queue: a folder, made when it is needed.</param>
public sealed class DistributedQueue(CoordinationClient client, string path)
{
    private readonly string _items = OwnNode.Join(path, "items");
    private readonly OutcomeMarker _outcome = new(client, OwnNode.Join(path, "sessions"));
    private readonly DistributedLock _waiting = new(client, OwnNode.Join(path, "waiting"));
    private volatile bool _isMade;

    /// <summary>Puts an item in. Once it is under way it is not cancelled.</summary>
    public async Task EnqueueAsync(ReadOnlyMemory<byte> item, CancellationToken ct = default)
    {
        await MakeAsync(ct);
        await _outcome.DoAsync(() => new Transaction().Create(OwnNode.Join(_items, "item-"), item, CreateMode.PersistentSequential), ct);
    }

    /// <summary>Takes the first item out.</summary>
    /// <returns>Null where there is none.</returns>
    public async Task<ReadOnlyMemory<byte>?> TryDequeueAsync(CancellationToken ct = default)
    {
        await MakeAsync(ct);
        return await TakeFirstAsync((await client.GetChildrenAsync(_items, ct)).Children, ct);
    }

    /// <summary>Takes the first item out, and waits for one where there is none. Of those who wait, only the first watches the queue.</summary>
    public async Task<ReadOnlyMemory<byte>> DequeueAsync(CancellationToken ct = default)
    {
        if (await TryDequeueAsync(ct) is ReadOnlyMemory<byte> first)
        {
            return first;
        }
        await using LockHandle turn = await _waiting.AcquireAsync(ct);
        while (true)
        {
            using Watched<NodeChildren> items = await client.GetChildrenAndWatchAsync(_items, ct);
            if (await TakeFirstAsync(items.Value.Children, ct) is ReadOnlyMemory<byte> item)
            {
                return item;
            }
            await items.Changed.WaitAsync(ct);
        }
    }

    /// <summary>How many items there are.</summary>
    public async Task<int> CountAsync(CancellationToken ct = default) => (await client.ExistsAsync(_items, ct))?.NumChildren ?? 0;

    private async Task<ReadOnlyMemory<byte>?> TakeFirstAsync(IReadOnlyList<string> names, CancellationToken ct)
    {
        foreach (string name in WaitingLine.Sorted(names))
        {
            string item = OwnNode.Join(_items, name);
            try
            {
                NodeData node = await client.GetDataAsync(item, ct);
                await _outcome.DoAsync(() => new Transaction().Delete(item), ct);
                return node.Data;
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode && e.Path == item)
            {
                // Another has taken it; the next one, then.
            }
        }
        return null;
    }

    // Not a container: an empty queue stays.
    private async Task MakeAsync(CancellationToken ct)
    {
        if (!_isMade)
        {
            await OwnNode.SetAsync(client, _items, CreateMode.Persistent, ct);
            _isMade = true;
        }
    }
}
