using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>A member as a process: its core while it runs, its disk always, a clock that goes a little wrong.</summary>
internal sealed class SimulatedNode(World world, ulong id, INodeDisk disk, double clockRate, long clockOffsetMs)
{
    private const int MaxOutputs = 1000;

    private readonly Dictionary<ulong, (ulong Term, Action<bool> Done)> _proposals = [];
    private readonly Dictionary<ulong, Action<bool>> _reads = [];
    private readonly List<(ulong Index, ulong Context)> _readable = [];
    private ulong _nextRead;
    private Role _tracedRole;
    private ulong _tracedCommit;
    private ulong _tracedTerm;

    public ulong Id => id;

    public INodeDisk Disk => disk;

    /// <summary>The core; kept after a crash for those who look, never used.</summary>
    public RaftCore Core { get; private set; } = null!;

    /// <summary>What it runs, in this life.</summary>
    public NodeState State { get; private set; } = null!;

    public bool IsUp { get; private set; }

    /// <summary>Rises with every start, so that what was meant for an earlier life is dropped.</summary>
    public int Life { get; private set; }

    public long PausedUntilUs { get; set; }

    public ulong Applied { get; private set; }

    public ulong SeenLeading { get; set; }

    public ulong SeenCommit { get; set; }

    public int SnapshotEvery { get; set; } = int.MaxValue;

    public double ClockRate => clockRate;

    public long NowMs => clockOffsetMs + (long)(world.NowUs * clockRate / 1000);

    /// <summary>Starts, unless its log refuses.</summary>
    public void Start()
    {
        if (Disk.WhyNotOpen is { } why)
        {
            world.Refusals++;
            world.Say(() => $"{id} does not start: {why}");
            return;
        }

        IsUp = true;
        Life++;
        Core = new RaftCore(world.CoreOptions with { Id = id }, Disk.HardState, Disk.Snapshot, Disk, new Random(world.Random.Next()), NowMs);
        State = world.Options.Machine(world, this, Disk.SnapshotState);
        Applied = SeenCommit = Disk.Snapshot?.Index ?? 0;
        SeenLeading = 0;
        _tracedRole = Role.Follower;
        _tracedCommit = Core.Commit;
        _tracedTerm = Core.Term;
        After();
        Ticking(Life);
    }

    public void Crash()
    {
        IsUp = false;
        Disk.Crash(world.Random);
        _proposals.Clear();
        _reads.Clear();
        _readable.Clear();
    }

    public void Receive(Message message, NodeState? snapshot)
    {
        if (message.Type == MessageType.Snapshot)
        {
            Disk.Arrived(message.Snapshot!, snapshot!);
        }

        Core.Step(NowMs, message);
        After();
    }

    public void SnapshotReported(ulong to, bool arrived)
    {
        Core.ReportSnapshot(to, arrived);
        After();
    }

    /// <summary>A client's write: done(true) when it is applied, done(false) when it never will be.</summary>
    public void Put(int key, int value, int padding, Action<bool> done)
    {
        var result = Core.Propose([RegisterState.Put(key, value, padding)]);
        if (result.Status == ProposalStatus.Accepted)
        {
            _proposals[result.FirstIndex] = (result.Term, done);
        }
        else
        {
            done(false);
        }

        After();
    }

    public void Get(int key, Action<int?> done) => ReadIndex(admitted => done(admitted ? ((RegisterState)State)[key] : null));

    /// <summary>done(true) when all is applied that was committed by now, done(false) where no leader answers, or nothing when its answer is lost.</summary>
    public void ReadIndex(Action<bool> done)
    {
        var context = ((ulong)Life << 32) | ++_nextRead;
        _reads[context] = done;
        if (!Core.Read(NowMs, context))
        {
            _reads.Remove(context);
            done(false);
        }

        After();
    }

    /// <summary>Takes a command into the log where this member leads; what it leads to is seen as it is applied.</summary>
    public ProposalResult Propose(ReadOnlyMemory<byte> command)
    {
        var result = Core.Propose([command]);
        After();
        return result;
    }

    public string? Transfer(ulong target) => Asked(Core.Transfer(target));

    public string? Change(IReadOnlyList<ulong> voters, IReadOnlyList<ulong> learners) =>
        Asked(Core.ChangeConfiguration([.. voters.Select(World.Member)], [.. learners.Select(World.Member)]));

    public void TakeSnapshot()
    {
        if (Applied > (Disk.Snapshot?.Index ?? 0) && Core.DescribeSnapshot(Applied) is { } meta)
        {
            var keepFrom = Disk.TakeSnapshot(meta, State.Clone());
            Core.SnapshotTaken(meta, keepFrom);
            world.Say(() => $"{id} snapshot of {meta.Index}, log from {keepFrom}");
        }
    }

    private string? Asked(string? refusal)
    {
        After();
        return refusal;
    }

    private void Ticking(int life)
    {
        world.At(world.NowUs + world.TickUs, this, life, () =>
        {
            Core.Tick(NowMs);
            After();
            Ticking(life);
        });
    }

    /// <summary>Does what the core asks for, and looks at it.</summary>
    private void After()
    {
        world.Steps++;
        for (var outputs = 0; Core.TakeOutput() is { } output; outputs++)
        {
            if (outputs > MaxOutputs)
            {
                throw new SimulationFailure("livelock", $"member {id} comes to no rest");
            }

            if (output.Write is { } write)
            {
                world.Invariants.Appended(this, write);
                Disk.Write(write);
                Sync();
            }

            world.Invariants.Check(this);
            foreach (var message in output.Messages)
            {
                world.Send(this, message);
            }

            Apply(output.ApplyUpTo);
            foreach (var read in output.Reads)
            {
                Admit(read);
            }
        }

        world.Invariants.Check(this);
        TraceRole();
        State.Rest();
    }

    private void Sync()
    {
        if (Disk.IsSyncing || Disk.Waiting == 0)
        {
            return;
        }

        Disk.IsSyncing = true;
        var writes = Disk.Waiting;
        world.At(world.NowUs + world.Spread(Disk.SyncUs), this, Life, () =>
        {
            Disk.IsSyncing = false;
            Core.Stored(Disk.Sync(writes));
            After();
            Sync();
        });
    }

    private void Apply(ulong upTo)
    {
        if (Disk.Snapshot is { } snapshot && snapshot.Index > Applied && snapshot.Index <= upTo && Core.ReadEntries(Applied + 1, Applied + 1, 0).Count == 0)
        {
            State = State.Install(Disk.SnapshotState!);
            Applied = snapshot.Index;
            FailProposals(p => p <= Applied);
            world.Invariants.Applied(this, Applied, State.Digest);
        }

        while (Applied < upTo)
        {
            var entries = Core.ReadEntries(Applied + 1, upTo, 4096);
            if (entries.Count == 0)
            {
                throw new SimulationFailure("log", $"member {id} is to apply up to {upTo} and finds no entry {Applied + 1}");
            }

            foreach (var entry in entries)
            {
                State.Apply(entry);
                Applied = entry.Index;
                world.Invariants.Applied(this, Applied, State.Digest);
                if (_proposals.Remove(Applied, out var proposal))
                {
                    if (entry.Term == proposal.Term)
                    {
                        world.Invariants.Acknowledged(Applied);
                    }

                    proposal.Done(entry.Term == proposal.Term);
                }
            }
        }

        for (var i = _readable.Count - 1; i >= 0; i--)
        {
            if (_readable[i].Index <= Applied)
            {
                Answer(_readable[i].Context);
                _readable.RemoveAt(i);
            }
        }

        if (Applied - (Disk.Snapshot?.Index ?? 0) >= (ulong)SnapshotEvery)
        {
            TakeSnapshot();
        }
    }

    private void FailProposals(Func<ulong, bool> which)
    {
        // Whether these were applied is in the snapshot and cannot be told: their clients hear nothing.
        foreach (var index in _proposals.Keys.Where(which).ToList())
        {
            _proposals.Remove(index);
        }
    }

    private void Admit(ReadState read)
    {
        if (read.Index is not { } index)
        {
            if (_reads.Remove(read.Context, out var refused))
            {
                refused(false);
            }
        }
        else if (index <= Applied)
        {
            Answer(read.Context);
        }
        else
        {
            _readable.Add((index, read.Context));
        }
    }

    private void Answer(ulong context)
    {
        if (_reads.Remove(context, out var read))
        {
            read(true);
        }
    }

    private void TraceRole()
    {
        if (Core.Term != _tracedTerm)
        {
            _tracedTerm = Core.Term;
            world.TermBegun?.Invoke(this);
        }

        if (Core.Role != _tracedRole)
        {
            _tracedRole = Core.Role;
            world.Say(() => $"{id} is {Core.Role} in term {Core.Term}");
            if (Core.Role == Role.Leader)
            {
                world.LeaderFound?.Invoke(this);
            }
        }

        if (Core.Commit != _tracedCommit)
        {
            _tracedCommit = Core.Commit;
            world.Say(() => $"{id} commits up to {Core.Commit}");
            if (Core.Role == Role.Leader)
            {
                world.LeaderCommitted?.Invoke(this);
            }
        }
    }
}
