using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>
/// A folder of ephemeral sequential nodes: whoever wants something stands in line, and watches only the one node that it waits for, so
/// that a node that goes wakes one waiter and not all.
/// </summary>
internal sealed class WaitingLine(CoordinationClient client, string folder, TimeSpan? grace)
{
    /// <summary>Says whose node one waits for, given all in their order and one's own place; null where it is one's turn.</summary>
    public delegate string? Blocker(IReadOnlyList<string> line, int own);

    /// <summary>Waits for whoever stands right before.</summary>
    public static string? Predecessor(IReadOnlyList<string> line, int own) => own == 0 ? null : line[own - 1];

    /// <summary>Joins the line and waits for its turn.</summary>
    /// <param name="kind">What the node's name ends in before its number.</param>
    /// <param name="data">The node's data.</param>
    /// <param name="blocker">Whom it waits for.</param>
    /// <param name="patience">How long it waits at most; null for as long as it takes.</param>
    /// <param name="ct">Leaves the line.</param>
    /// <returns>Null where patience has run out.</returns>
    public async Task<LockHandle?> EnterAsync(string kind, ReadOnlyMemory<byte> data, Blocker blocker, TimeSpan? patience, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, client.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        if (patience > TimeSpan.Zero)
        {
            late.CancelAfter(patience.Value);
        }
        CreatedNode? own = null;
        bool isTurn = false;
        try
        {
            own = await OwnNode.CreateAsync(client, folder, kind, data, either.Token);
            isTurn = await WaitAsync(own.Value.Path, blocker, mayWait: patience != TimeSpan.Zero, either.Token);
            return isTurn ? new LockHandle(client, own.Value, grace) : null;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            if (own is CreatedNode made && !isTurn)
            {
                _ = OwnNode.DeleteAsync(client, made.Path);
            }
        }
    }

    /// <summary>The names of those in line, in their order.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(CancellationToken ct) => Sorted((await client.GetChildrenAsync(folder, ct)).Children);

    public static IReadOnlyList<string> Sorted(IEnumerable<string> names) => [.. names.OrderBy(Number, StringComparer.Ordinal)];

    private async Task<bool> WaitAsync(string ownPath, Blocker blocker, bool mayWait, CancellationToken ct)
    {
        string own = ownPath[(ownPath.LastIndexOf('/') + 1)..];
        while (true)
        {
            IReadOnlyList<string> line = await ReadAsync(ct);
            int place = line.ToList().IndexOf(own);
            if (place < 0)
            {
                throw new CoordinationException(ErrorCode.NoNode, ownPath, $"{ownPath} was deleted while it stood in line");
            }
            if (blocker(line, place) is not string before)
            {
                return true;
            }
            if (!mayWait)
            {
                return false;
            }
            using Watched<Stat?> there = await client.ExistsAndWatchAsync(OwnNode.Join(folder, before), ct);
            if (there.Value is not null)
            {
                await there.Changed.WaitAsync(ct);
            }
        }
    }

    private static string Number(string name) => name.Length > 10 ? name[^10..] : name;
}
