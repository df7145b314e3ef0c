using System.Runtime.CompilerServices;
using Skep.Coordination.Client;
using Skep.Jute;

namespace Swarmctl.Coordination;

/// <summary>Goes through a tree level by level, with many requests under way.</summary>
internal static class Walk
{
    private const int UnderWay = 128;

    /// <summary>A node read, and its children's names.</summary>
    public readonly record struct Found<T>(string Path, T Value, IReadOnlyList<string> Children);

    /// <summary>Every node from one on, parents first; nodes that go meanwhile are passed over.</summary>
    /// <param name="from">Where to begin.</param>
    /// <param name="read">Reads one node.</param>
    /// <param name="ct">Stops.</param>
    public static async IAsyncEnumerable<Found<T>> AllAsync<T>(string from, Func<string, Task<Found<T>>> read, [EnumeratorCancellation] CancellationToken ct)
    {
        var waiting = new Queue<string>([from]);
        var underWay = new Queue<(string Path, Task<Found<T>> Reading)>();
        while (waiting.Count + underWay.Count > 0)
        {
            ct.ThrowIfCancellationRequested();
            while (underWay.Count < UnderWay && waiting.TryDequeue(out string? next))
            {
                underWay.Enqueue((next, read(next)));
            }
            (string path, Task<Found<T>> reading) = underWay.Dequeue();
            Found<T> found;
            try
            {
                found = await reading;
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode && path != from)
            {
                continue;
            }
            foreach (string child in found.Children)
            {
                waiting.Enqueue(CoordinationRun.Child(path, child));
            }
            yield return found;
        }
    }

    /// <summary>Every node with what is known of it.</summary>
    public static IAsyncEnumerable<Found<Stat>> AllAsync(CoordinationClient client, string from, CancellationToken ct) => AllAsync(from, async path =>
    {
        NodeChildren node = await client.GetChildrenAsync(path, ct);
        return new Found<Stat>(path, node.Stat, node.Children);
    }, ct);
}
