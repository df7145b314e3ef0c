using Microsoft.Extensions.Logging;
using Skep.Coordination.Replication;
using Skep.Coordination.Sessions;
using Skep.Coordination.Tree;
using Skep.Coordination.Watches;
using Skep.Jute;

namespace Skep.Coordination.Serving;

/// <summary>
/// One member of the service: its clients' connections, its copy of the tree, and its part in what the group agrees on. It does no I/O:
/// bytes, commands, asides and ticks come in, bytes and writes go out. One lock holds it all, taken for a batch at a time; nothing is
/// sent under it.
/// </summary>
internal sealed partial class Member : IOutcomes
{
    /// <summary>How often <see cref="Tick"/> is to be called, in ms.</summary>
    public const int TickMs = 200;

    /// <summary>The cluster's own part of the tree.</summary>
    public const string OwnPath = "/skep";

    private const string ConfigPath = "/zookeeper/config";

    private readonly Lock _gate = new();
    private readonly MemberOptions _options;
    private readonly IConsensus _consensus;
    private readonly Replica _replica;
    private readonly WatchTable _watches = new();
    private readonly WriteQueue _queue;
    private readonly SessionExpiry _expiry = new();
    private readonly Dictionary<long, Connection> _local = [];
    private readonly Dictionary<long, Connection> _attaching = [];
    private readonly HashSet<Connection> _connections = [];
    private readonly FourLetterWords _words;
    private Effects _effects = new();

    public Member(MemberOptions options, IConsensus consensus)
    {
        (_options, _consensus, _replica) = (options, consensus, new Replica(this));
        _queue = new WriteQueue(consensus, options.WallMs, options.EnforceQuotas);
        _words = new FourLetterWords(options.Words, options.Settings);
        _leaderSeenMs = _contactMs = options.NowMs();
    }

    private ZnodeTree Tree => _replica.Tree;

    /// <summary>Applies a command of the group.</summary>
    public void Apply(ReadOnlyMemory<byte> command)
    {
        Effects effects;
        lock (_gate)
        {
            _replica.Apply(command);
            effects = TakeEffects();
        }
        Do(effects);
    }

    /// <summary>The tree as it is now, to be written later and beside further commands.</summary>
    public Snapshots.TreeSnapshot Capture()
    {
        lock (_gate)
        {
            return Tree.Capture();
        }
    }

    /// <summary>
    /// Takes another member's tree. What its clients watched may have changed in between: they are let go, and come back with what they
    /// watch and what they have seen.
    /// </summary>
    public void Restore(Stream snapshot)
    {
        Effects effects;
        lock (_gate)
        {
            _replica.Restore(snapshot);
            foreach (Connection connection in _connections.ToArray())
            {
                Close(connection);
            }
            AuditUntold();
            effects = TakeEffects();
        }
        Do(effects);
    }

    /// <summary>Reads what the member is, for those who look at it from outside; under its lock.</summary>
    public T Look<T>(Func<MemberView, T> look)
    {
        lock (_gate)
        {
            return look(View());
        }
    }

    /// <summary>Whether there is nothing that time would change soon.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                return _connections.Count == 0 && !(_seen.Leads && Tree.Sessions.Count > 0);
            }
        }
    }

    private MemberView View() => new(Tree, _watches, _connections, _consensus.Standing, _figures, IsCutOff(_options.NowMs()));

    private void MarkDirty(Connection connection)
    {
        if (!connection.IsMarked)
        {
            connection.IsMarked = true;
            _effects.Woken.Add(connection);
        }
    }

    private void Submit(ReadOnlySpan<byte> write)
    {
        _queue.Add(write);
        _effects.HasWrites = true;
    }

    // What is done once the lock is left.
    private Effects TakeEffects()
    {
        Effects taken = _effects;
        if (taken.IsEmpty)
        {
            return Effects.None;
        }
        foreach (Connection connection in taken.Woken)
        {
            connection.IsMarked = false;
        }
        _effects = new();
        return taken;
    }

    private void Do(Effects effects)
    {
        if (effects.HasWrites)
        {
            _queue.Flush();
        }
        if (effects.Barriers.Count > 0)
        {
            List<(Connection, PendingRequest)> waiting = effects.Barriers;
            _consensus.ReadIndex(done => BarrierDone(waiting, done));
        }
        foreach (Connection connection in effects.Woken)
        {
            // One answer is sent at once: to wake another thread for it costs more.
            connection.Link.Wake(here: effects.Woken.Count == 1);
        }
        foreach ((ulong to, byte[] bytes) in effects.Asides)
        {
            _consensus.SendAside(to, bytes);
        }
        foreach (Action<ILogger> notice in effects.Notices)
        {
            notice(_options.Log);
        }
    }

    private sealed class Effects
    {
        public static readonly Effects None = new();

        public bool HasWrites { get; set; }

        public List<Connection> Woken { get; } = new(0);

        public List<(Connection Connection, PendingRequest Request)> Barriers { get; } = new(0);

        public List<(ulong To, byte[] Bytes)> Asides { get; } = new(0);

        /// <summary>What the log is told.</summary>
        public List<Action<ILogger>> Notices { get; } = new(0);

        public bool IsEmpty => !HasWrites && Woken.Count == 0 && Barriers.Count == 0 && Asides.Count == 0 && Notices.Count == 0;
    }
}
