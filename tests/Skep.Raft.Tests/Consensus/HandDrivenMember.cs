using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft.Tests.Consensus;

/// <summary>A member whose peers, clock and disk the test plays by hand.</summary>
internal sealed class HandDrivenMember : IEntrySource
{
    public const int ElectionMs = 100;
    public const int HeartbeatMs = 20;

    private readonly List<LogRecord> _disk = [];
    private readonly Queue<LogWrite> _writes = new();

    public HandDrivenMember(int voters, CoreOptions? options = null, params LogRecord[] entries)
    {
        _disk.AddRange(entries);
        var members = Enumerable.Range(1, voters).Select(i => new RaftMember((ulong)i, "")).ToList();
        var snapshot = new SnapshotMeta(1, 1, 1, new RaftConfiguration(members, [], []));
        options ??= new CoreOptions { Id = 1, ElectionTimeoutMs = ElectionMs, HeartbeatMs = HeartbeatMs };
        Core = new RaftCore(options, new HardState(entries.Length > 0 ? entries[^1].Term : 1, 0, 1), snapshot, this, new Random(1), 0);
    }

    public RaftCore Core { get; }

    public long NowMs { get; private set; }

    public List<Message> Sent { get; } = [];

    public List<LogWrite> Written { get; } = [];

    public List<ReadState> Reads { get; } = [];

    public ulong ApplyUpTo { get; private set; }

    public ulong FirstIndex => 2;

    public ulong LastIndex => 1 + (ulong)_disk.Count;

    public IReadOnlyList<LogRecord> ReadEntries(ulong from, ulong to, long maxSizeBytes) =>
        [.. _disk.Where(e => e.Index >= from && e.Index <= to)];

    public void Tick(int ms)
    {
        NowMs += ms;
        Core.Tick(NowMs);
        Collect();
    }

    public void Receive(Message message)
    {
        Core.Step(NowMs, message);
        Collect();
    }

    public ulong Propose(int count = 1)
    {
        var result = Core.Propose([.. Enumerable.Repeat<ReadOnlyMemory<byte>>(new byte[8], count)]);
        Assert.Equal(ProposalStatus.Accepted, result.Status);
        Collect();
        return result.FirstIndex + (ulong)count - 1;
    }

    public void Do(Action<RaftCore> act)
    {
        act(Core);
        Collect();
    }

    public void Read(ulong context)
    {
        Assert.True(Core.Read(NowMs, context));
        Collect();
    }

    /// <summary>The disk does all that waits.</summary>
    public void Sync()
    {
        while (_writes.TryDequeue(out var write))
        {
            _disk.RemoveAll(e => e.Index >= write.TruncateFrom);
            _disk.AddRange(write.Entries);
            Core.Stored(write.Sequence);
            Collect();
        }
    }

    /// <summary>Wins an election; its first entry is on its own disk only.</summary>
    public void Lead()
    {
        while (Core.Role == Role.Follower)
        {
            Tick(10);
        }

        foreach (var type in (ReadOnlySpan<MessageType>)[MessageType.PreVoteResponse, MessageType.VoteResponse])
        {
            var term = type == MessageType.PreVoteResponse ? Core.Term + 1 : Core.Term;
            foreach (var voter in Core.Configuration.Voters.Where(v => v.Id != Core.Id))
            {
                Receive(new Message { Type = type, From = voter.Id, To = Core.Id, Term = term });
            }

            Sync();
        }

        Assert.Equal(Role.Leader, Core.Role);
        Sync();
    }

    public void Acknowledge(ulong from, ulong index) =>
        Receive(new Message { Type = MessageType.AppendResponse, From = from, To = Core.Id, Term = Core.Term, Index = index, SentMs = NowMs });

    /// <summary>A follower answers the latest heartbeat sent to it.</summary>
    public void AnswerHeartbeat(ulong from)
    {
        var heartbeat = Sent.Last(m => m.Type == MessageType.Heartbeat && m.To == from);
        Receive(new Message { Type = MessageType.HeartbeatResponse, From = from, To = Core.Id, Term = Core.Term, Round = heartbeat.Round, SentMs = heartbeat.SentMs });
    }

    private void Collect()
    {
        while (Core.TakeOutput() is { } output)
        {
            Sent.AddRange(output.Messages);
            Reads.AddRange(output.Reads);
            ApplyUpTo = output.ApplyUpTo;
            if (output.Write is { } write)
            {
                _writes.Enqueue(write);
                Written.Add(write);
            }
        }
    }
}
