using Skep.DataPlane.Balancing.Flows;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;

namespace Skep.DataPlane.Workers;

/// <summary>
/// The other workers as one of them sees them. Frames are copied on their way, so that each worker's buffers stay its own.
/// </summary>
internal sealed class WorkerPeers : IDisposable
{
    private readonly Mailbox _own;
    private readonly Mailbox[] _theirs;
    private readonly FrameRing[] _from;
    private readonly FrameRing[] _to;
    private readonly bool[] _written;

    private WorkerPeers(int number, Mailbox[] mailboxes, IEnumerable<FlowTable> flows, long startTimestamp)
    {
        (Number, StartTimestamp, _own) = (number, startTimestamp, mailboxes[number]);
        int[] others = [.. Enumerable.Range(0, mailboxes.Length).Where(other => other != number)];
        _theirs = [.. others.Select(other => mailboxes[other])];
        _from = [.. _own.Rings];
        // A mailbox has no ring for its owner: those behind it are one place further to the front.
        _to = [.. others.Select(other => mailboxes[other].Rings[number < other ? number : number - 1])];
        _written = new bool[_to.Length];
        Flows = [.. flows.Where((_, other) => other != number)];
    }

    /// <summary>The number of the worker whose peers these are.</summary>
    public int Number { get; }

    /// <summary>When all workers' time began: what one writes of neighbours, the others compare with their own.</summary>
    public long StartTimestamp { get; }

    /// <summary>How many they are. A peer is named by its place among them, from 0.</summary>
    public int Count => _to.Length;

    /// <summary>The others' flows, in the same order.</summary>
    public IReadOnlyList<FlowTable> Flows { get; }

    /// <summary>What wakes this worker.</summary>
    public int WaitDescriptor => _own.WaitDescriptor;

    /// <summary>Makes workers each other's peers, before the first of them runs. A worker disposes its own; first all must have stopped.</summary>
    /// <exception cref="IOException">The kernel gives no descriptors.</exception>
    public static void Connect(IReadOnlyList<IBalancerWorker> workers, int frameBytes, TimeProvider time)
    {
        List<Mailbox> mailboxes = [];
        try
        {
            while (mailboxes.Count < workers.Count)
            {
                mailboxes.Add(new Mailbox(workers.Count - 1, frameBytes));
            }
        }
        catch
        {
            mailboxes.ForEach(static m => m.Dispose());
            throw;
        }
        long start = time.GetTimestamp();
        for (int number = 0; number < workers.Count; number++)
        {
            workers[number].Join(new WorkerPeers(number, [.. mailboxes], workers.Select(static w => w.FlowTable), start));
        }
    }

    /// <summary>Hands a frame to a peer, who may be told only by <see cref="Ring"/>.</summary>
    /// <returns>False where it has too many waiting, and this one is lost.</returns>
    public bool TryHandOver(int peer, ReadOnlySpan<byte> frame, int port)
    {
        bool taken = _to[peer].TryWrite(frame, port);
        _written[peer] |= taken;
        return taken;
    }

    /// <summary>Wakes those peers that sleep and got something.</summary>
    public void Ring()
    {
        for (int peer = 0; peer < _written.Length; peer++)
        {
            if (_written[peer])
            {
                _written[peer] = false;
                _theirs[peer].Ring();
            }
        }
    }

    /// <summary>Takes frames of one port that a peer has handed over.</summary>
    /// <param name="peer">Which.</param>
    /// <param name="pool">Where they get their buffers; what finds none there waits.</param>
    /// <param name="burst">Gets them.</param>
    /// <param name="port">The port that they came in by.</param>
    public int TakeOver(int peer, PacketPool pool, Span<Packet> burst, out int port)
    {
        FrameRing ring = _from[peer];
        port = 0;
        int count = 0;
        while (count < burst.Length && ring.TryPeek(out ReadOnlySpan<byte> frame, out int from) && (count == 0 || from == port)
            && pool.TryCopy(frame, out burst[count]))
        {
            port = from;
            ring.Advance();
            count++;
        }
        return count;
    }

    /// <inheritdoc cref="Mailbox.Sleep"/>
    public void Sleep(ReadOnlySpan<int> descriptors, int timeoutMs) => _own.Sleep(descriptors, timeoutMs);

    public void Dispose() => _own.Dispose();
}
