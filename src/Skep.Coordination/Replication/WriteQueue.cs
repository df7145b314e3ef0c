using System.Buffers;
using Skep.Coordination.Tree;

namespace Skep.Coordination.Replication;

/// <summary>
/// Writes on their way to the leader: this member's own, and at the leader those of all members. Many become one command, and a few
/// commands are under way at a time, so that the more is waiting the more goes out together. Nothing is lost for good here: a member
/// sends again what it does not see applied. Thread-safe.
/// </summary>
internal sealed class WriteQueue
{
    /// <summary>Begins an aside that carries writes to the leader.</summary>
    public const byte AsideKind = 1;

    private const int MaxUnderWay = 4;
    private const int MaxCommandSizeBytes = 1024 * 1024;
    private const int MaxWaitingSizeBytes = 64 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Lock _sending = new();
    private readonly Lock _proposing = new();
    private readonly Queue<ReadOnlyMemory<byte>> _waiting = new();
    private readonly HashSet<ulong> _waitingMembers = [];
    private ArrayBufferWriter<byte> _out = new();
    private ArrayBufferWriter<byte> _taken = new();
    private readonly IConsensus _consensus;
    private readonly Func<long> _wallMs;
    private readonly bool _enforcesQuotas;
    private readonly Action _decided;
    private long _waitingSizeBytes;
    private int _underWay;

    /// <param name="consensus">The group.</param>
    /// <param name="wallMs">The time that commands carry, in ms since 1970.</param>
    /// <param name="enforcesQuotas">Whether commands say that hard quotas refuse writes.</param>
    public WriteQueue(IConsensus consensus, Func<long> wallMs, bool enforcesQuotas = false) =>
        (_consensus, _wallMs, _enforcesQuotas, _decided) = (consensus, wallMs, enforcesQuotas, Decided);

    /// <summary>Writes that were dropped since the queue was full.</summary>
    public long Dropped { get; private set; }

    /// <summary>Adds one of this member's writes; it leaves with the next <see cref="Flush"/>.</summary>
    public void Add(ReadOnlySpan<byte> write)
    {
        lock (_gate)
        {
            _out.Write(write);
        }
    }

    /// <summary>Sends what was added to whoever leads; where nobody does it is forgotten, to be sent again once somebody does.</summary>
    public void Flush()
    {
        lock (_sending)
        {
            while (Take() is { } taken)
            {
                try
                {
                    Standing standing = _consensus.Standing;
                    if (standing.Leads || standing.LeaderId != 0)
                    {
                        Send(taken.WrittenMemory, standing);
                    }
                }
                finally
                {
                    // What could not be sent must not come again before all that follows it.
                    taken.ResetWrittenCount();
                    if (taken.Capacity > MaxCommandSizeBytes)
                    {
                        _taken = new();
                    }
                }
            }
        }
    }

    // In parts that a command and the wire take, cut between two writes.
    private void Send(ReadOnlyMemory<byte> writes, Standing standing)
    {
        ReadOnlyMemory<byte> rest = writes;
        while (rest.Length > 0)
        {
            ReadOnlyMemory<byte> part = rest;
            for (ReadOnlyMemory<byte> next = rest; Write.TryTake(ref next, out _); rest = next)
            {
                if (part.Length - next.Length > MaxCommandSizeBytes && rest.Length < part.Length)
                {
                    break;
                }
            }
            part = part[..^rest.Length];
            if (standing.Leads)
            {
                Enqueue(part.ToArray());
            }
            else
            {
                byte[] aside = [AsideKind, .. part.Span];
                _consensus.SendAside(standing.LeaderId, aside);
            }
        }
    }

    /// <summary>Takes writes of another member, at the leader; the queue's to keep.</summary>
    public void Receive(ulong from, ReadOnlyMemory<byte> writes)
    {
        lock (_gate)
        {
            _waitingMembers.Add(from);
        }
        Enqueue(writes);
    }

    private void Enqueue(ReadOnlyMemory<byte> writes)
    {
        lock (_gate)
        {
            if (_waitingSizeBytes + writes.Length > MaxWaitingSizeBytes)
            {
                Dropped++;
                return;
            }
            _waiting.Enqueue(writes);
            _waitingSizeBytes += writes.Length;
        }
        Propose();
    }

    private ArrayBufferWriter<byte>? Take()
    {
        lock (_gate)
        {
            if (_out.WrittenCount == 0)
            {
                return null;
            }
            (_out, _taken) = (_taken, _out);
            return _taken;
        }
    }

    private void Propose()
    {
        // One after another: what comes out of order is refused, and sent again much later.
        lock (_proposing)
        {
            while (TakeCommand() is { } command)
            {
                _consensus.Propose(command, _decided);
            }
        }
    }

    private void Decided()
    {
        ulong[] waiting = [];
        lock (_gate)
        {
            _underWay--;
            if (_underWay == 0 && _waiting.Count == 0 && _waitingMembers.Count > 0)
            {
                // Nothing follows that would tell them soon that what their clients wait for is committed.
                waiting = [.. _waitingMembers];
                _waitingMembers.Clear();
            }
        }
        foreach (ulong member in waiting)
        {
            _consensus.HurryCommit(member);
        }
        Propose();
    }

    private byte[]? TakeCommand()
    {
        lock (_gate)
        {
            if (_underWay == MaxUnderWay || _waiting.Count == 0)
            {
                return null;
            }
            int count = 0;
            int size = Write.HeadSizeBytes;
            foreach (ReadOnlyMemory<byte> writes in _waiting)
            {
                if (count > 0 && size + writes.Length > MaxCommandSizeBytes)
                {
                    break;
                }
                size += writes.Length;
                count++;
            }
            byte[] command = GC.AllocateUninitializedArray<byte>(size);
            Write.WriteHead(command, _wallMs(), _enforcesQuotas);
            int at = Write.HeadSizeBytes;
            for (; count > 0; count--)
            {
                ReadOnlyMemory<byte> writes = _waiting.Dequeue();
                writes.CopyTo(command.AsMemory(at));
                at += writes.Length;
                _waitingSizeBytes -= writes.Length;
            }
            _underWay++;
            return command;
        }
    }
}
