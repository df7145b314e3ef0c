using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Skep.Raft.Consensus;
using Skep.Raft.Log;
using Skep.Raft.Transport;

namespace Skep.Raft;

/// <summary>
/// This member's part in a group of several: what <see cref="RaftCore"/> decides, on a real disk, clock and network. One thread
/// at a time has a turn (<see cref="Turns"/>), which does it all but writing to the disk.
/// </summary>
public sealed partial class ReplicaGroup : IAsyncDisposable, IGroupInbox
{
    private readonly ReplicaGroupOptions _options;
    private readonly RaftLog _log;
    private readonly RaftTransport _transport;
    private readonly IStateMachine _machine;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RaftCore _core;
    private readonly LogWriter _writer;
    private readonly SnapshotTaker _snapshots;
    private readonly SemaphoreSlim _snapshotGate = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<ReplicaInput> _inbox;
    private readonly Channel<Proposal> _proposals;
    private readonly ReplicaReads _reads;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _startTimestamp;
    private readonly long _clockOffsetMs;
    private readonly GroupTicker _ticker;
    private readonly GroupTicker.Ticked _ticked;
    private readonly Turns _turns;
    private readonly TickPace _pace;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly System.Collections.Concurrent.ConcurrentQueue<ReplicaInput> _told = new();
    private ulong _storedSequence;
    private int _watchers;
    private bool _ended;
    private bool _hasTicked;
    private int _disposed;

    internal ReplicaGroup(
        ReplicaGroupOptions options, RaftMember self, RaftLog log, RaftTransport transport, GroupTicker ticker, IStateMachine machine, ReplicaStart start, Random random, TimeProvider time, ILogger logger)
    {
        (_options, _log, _transport, _machine, _time, _logger) = (options, log, transport, machine, time, logger);
        _startTimestamp = time.GetTimestamp();
        var core = new CoreOptions { Id = self.Id, Group = options.GroupId, ElectionTimeoutMs = options.ElectionTimeoutMs, HeartbeatMs = options.HeartbeatMs, RestHeartbeatMs = TickPace.RestHeartbeatMs(options.HeartbeatMs), CommitNoticeMs = TickPace.BusyMs(options.HeartbeatMs) };

        // Nobody else can lead a group of one, so there is nobody to wait for.
        _clockOffsetMs = start.IsAlone ? 3L * options.ElectionTimeoutMs : 0;
        _core = new RaftCore(core, start.HardState, start.Snapshot, new LogSource(log.Engine, options.GroupId), random, 0);
        _applied = start.Snapshot?.Index ?? 0;
        _reads = new ReplicaReads(2L * options.ElectionTimeoutMs, (ulong)random.NextInt64());
        _inbox = Channel.CreateBounded<ReplicaInput>(new BoundedChannelOptions(options.MaxQueuedMessages) { SingleReader = true });
        _proposals = Channel.CreateBounded<Proposal>(new BoundedChannelOptions(options.MaxQueuedProposals) { SingleReader = true });
        _writer = new LogWriter(options.GroupId, log, time, logger, OnStored, e => Stop(e));
        _snapshots = new SnapshotTaker(options.GroupId, options.SnapshotEveryEntries, log, machine, logger, _applied, _snapshotGate, OnSnapshotTaken, options.SnapshotEverySizeBytes);
        Status = ReadStatus();
        LearnMembers();
        _turns = new Turns(TurnAsync);
        _pace = new TickPace(options.HeartbeatMs);
        (_ticker, _ticked) = (ticker, ticker.Add(Tick));

        // Peers may have something for it at once.
        transport.Register(options.GroupId, this);
        _turns.Ask();
    }

    /// <summary>The group as this member sees it, a tick ago at most.</summary>
    public ReplicaStatus Status { get; private set; }

    /// <summary>Ends when the group is closed here, and fails with what stopped it; a process whose group has stopped should exit, saying why.</summary>
    public Task Completion => _completion.Task;

    /// <summary>
    /// Ends when this member's disk is full: what it has taken waits there until there is room, and it takes nothing more. Another
    /// task once there is.
    /// </summary>
    public Task<LogFullException> UntilFull => _writer.UntilFull;

    /// <summary>Figures for whoever watches this member.</summary>
    public RaftGroupMetrics Metrics => new(
        Status.Term,
        Math.Max(Status.LastIndex, Volatile.Read(ref _applied)),
        Volatile.Read(ref _applied),
        _log.Engine.Read(_options.GroupId, static g => g.SnapshotIndex),
        _proposals.Reader.Count,
        _log.Engine.Syncs,
        _log.Engine.LastSyncTime,
        _log.Engine.SegmentCount);

    /// <summary>Proposes a command; returns when a majority holds it on disk and this member has applied it.</summary>
    /// <param name="command">1 byte to 4 MiB; taken as it is when the call is made.</param>
    /// <param name="ct">Gives up waiting; the command may be applied nevertheless.</param>
    /// <returns>The command's index.</returns>
    /// <exception cref="NotLeaderException">Another member leads, or none; the command was not taken.</exception>
    /// <exception cref="ProposalLostException">The lead was lost meanwhile; whether the command is taken is not known.</exception>
    /// <exception cref="LogFullException">This member's disk is full; the command was not taken.</exception>
    /// <exception cref="ArgumentException">The command is empty or too long.</exception>
    /// <exception cref="ObjectDisposedException">The group is closed.</exception>
    /// <remarks>What awaits proposals goes on together with what awaits others: it must not block a thread for long.</remarks>
    public Task<ulong> ProposeAsync(ReadOnlyMemory<byte> command, CancellationToken ct = default) => ProposeAsync(command, inTerm: 0, ct);

    /// <summary>
    /// Proposes a command that was made from what this member had applied as leader of a term: in another term others may have
    /// changed that, and it is refused with <see cref="NotLeaderException"/>.
    /// </summary>
    /// <inheritdoc cref="ProposeAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="command">1 byte to 4 MiB; taken as it is when the call is made.</param>
    /// <param name="inTerm">The term; 0 for any.</param>
    /// <param name="ct">Gives up waiting; the command may be applied nevertheless.</param>
    public Task<ulong> ProposeAsync(ReadOnlyMemory<byte> command, ulong inTerm, CancellationToken ct = default)
    {
        if (command.Length is 0 or > LogFormat.MaxPayloadSizeBytes)
        {
            return Task.FromException<ulong>(
                new ArgumentException($"a command has {command.Length} bytes, expected 1 to {LogFormat.MaxPayloadSizeBytes}", nameof(command)));
        }

        // Copied, since the log's end stays in memory for members that are behind.
        var proposal = new Proposal(command.ToArray(), inTerm);
        if (ct.IsCancellationRequested || !_proposals.Writer.TryWrite(proposal))
        {
            return QueueAsync(proposal, ct);
        }

        _turns.Ask();
        return ct.CanBeCanceled ? proposal.Task.WaitAsync(ct) : proposal.Task;
    }

    private async Task<ulong> QueueAsync(Proposal proposal, CancellationToken ct)
    {
        try
        {
            await _proposals.Writer.WriteAsync(proposal, ct).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw e.InnerException ?? new ObjectDisposedException(nameof(ReplicaGroup), "the raft group is closed");
        }

        _turns.Ask();
        return await proposal.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Returns when what this member has applied includes all that was committed when the call began: a read after it is
    /// linearizable (Raft dissertation, 6.4). A follower asks the leader.
    /// </summary>
    /// <exception cref="NotLeaderException">No leader answers; a read would perhaps be stale.</exception>
    public Task ReadIndexAsync(CancellationToken ct = default) => AskAsync(static d => new ReplicaInput.ReadAsked(d), ct);

    /// <summary>Hands the lead to a member; returns when that one leads. Proposals wait meanwhile.</summary>
    /// <exception cref="InvalidOperationException">It cannot be handed over, or was not taken within an election time-out; the message says why.</exception>
    public Task TransferAsync(ulong member, CancellationToken ct = default) => AskAsync(d => new ReplicaInput.TransferAsked(member, d), ct);

    /// <summary>Changes the members by joint consensus; returns when the leader has begun to. <see cref="WaitForAsync"/> sees its end.</summary>
    /// <param name="voters">All voters there are to be, 1 to 7.</param>
    /// <param name="learners">All learners there are to be.</param>
    /// <param name="ct">Gives up waiting.</param>
    /// <exception cref="InvalidOperationException">It cannot be changed so, or not now; the message says why.</exception>
    public Task ChangeMembersAsync(IReadOnlyList<RaftMember> voters, IReadOnlyList<RaftMember> learners, CancellationToken ct = default) =>
        AskAsync(d => new ReplicaInput.ChangeAsked(voters, learners, d), ct);

    /// <summary>
    /// Sends bytes to those who use the group at another member, beside the group's own messages; never waits. They may be lost, as
    /// anything that is on its way to a member that goes away: whoever needs an answer asks again.
    /// </summary>
    /// <param name="member">A member of the group.</param>
    /// <param name="bytes">At most 4 MiB; taken as they are when the call is made.</param>
    public void SendAside(ulong member, ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, LogFormat.MaxPayloadSizeBytes);
        _transport.SendAside(member, _options.GroupId, bytes);
    }

    /// <summary>
    /// Has a member told at once how far the group has committed, where this one leads; otherwise it is told with the next entries, or some
    /// milliseconds later. For a member whose own callers wait until it has applied what they asked for.
    /// </summary>
    public void HurryCommit(ulong member) => Tell(new ReplicaInput.CommitHurried(member));

    /// <summary>What this member, as leader, knows of the members; empty where it does not lead.</summary>
    public async Task<IReadOnlyList<ReplicaStanding>> ReadStandingsAsync(CancellationToken ct = default)
    {
        var done = new TaskCompletionSource<IReadOnlyList<ReplicaStanding>>(TaskCreationOptions.RunContinuationsAsynchronously);
        await AskAsync(new ReplicaInput.StandingsAsked(done), ct).ConfigureAwait(false);
        return await done.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Waits until the group stands as is wanted.</summary>
    public async Task<ReplicaStatus> WaitForAsync(Func<ReplicaStatus, bool> wanted, CancellationToken ct = default)
    {
        Interlocked.Increment(ref _watchers);
        try
        {
            while (true)
            {
                var changed = Volatile.Read(ref _changed).Task;
                var status = Status;
                if (wanted(status))
                {
                    return status;
                }

                if (_completion.Task.IsCompleted)
                {
                    await _completion.Task.ConfigureAwait(false);
                }

                ObjectDisposedException.ThrowIf(Volatile.Read(ref _ended), this);

                await changed.WaitAsync(ct).ConfigureAwait(false);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _watchers);
        }
    }

    /// <summary>Takes no more proposals, ends what waits. The log is its host's.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        Stop(null);
        await _turns.Ended.ConfigureAwait(false);
        _ticked.Dispose();
        await Task.WhenAll(_sending.Values).ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _snapshots.DisposeAsync().ConfigureAwait(false);
        _completion.TrySetResult();
        _snapshotGate.Dispose();
        _stop.Dispose();
    }

    bool IGroupInbox.TryReceive(Message message) => _inbox.Writer.TryWrite(new ReplicaInput.Received(message));

    void IGroupInbox.ReceiveAside(ulong from, ReadOnlyMemory<byte> bytes) => _options.Aside?.Invoke(from, bytes);

    void IGroupInbox.Handle() => _turns.TakeHere();

    async Task<bool> IGroupInbox.ReceiveSnapshotAsync(SnapshotMeta snapshot, Func<Stream, Task> copy)
    {
        if (snapshot.Index <= Volatile.Read(ref _applied) || !await _snapshotGate.WaitAsync(0).ConfigureAwait(false))
        {
            return false;
        }

        try
        {
            var file = _log.CreateSnapshot(_options.GroupId, snapshot.Index, snapshot.Term, snapshot.ConfigurationIndex, snapshot.Configuration.Encode());
            await using (file.ConfigureAwait(false))
            {
                await copy(file).ConfigureAwait(false);
                file.Commit();
            }

            return true;
        }
        finally
        {
            _snapshotGate.Release();
        }
    }

    private async Task AskAsync(Func<TaskCompletionSource, ReplicaInput> input, CancellationToken ct)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await AskAsync(input(done), ct).ConfigureAwait(false);
        await done.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    private async Task AskAsync(ReplicaInput input, CancellationToken ct)
    {
        try
        {
            await _inbox.Writer.WriteAsync(input, ct).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw e.InnerException ?? new ObjectDisposedException(nameof(ReplicaGroup), "the raft group is closed");
        }

        _turns.Ask();
    }

    private void Tick(bool here)
    {
        Volatile.Write(ref _hasTicked, true);
        if (here)
        {
            _turns.TakeHere();
        }
        else
        {
            _turns.Ask();
        }
    }

    private void Tell(ReplicaInput input)
    {
        _told.Enqueue(input);
        _turns.Ask();
    }

    // On the log's thread: what few entries ask for is done there at once, for it is the change of threads that costs then; what
    // many ask for must not keep the next sync waiting.
    private void OnStored(ulong sequence, int records)
    {
        Volatile.Write(ref _storedSequence, sequence);
        if (records <= FewRecords)
        {
            _turns.TakeHere();
        }
        else
        {
            _turns.Ask();
        }
    }

    private void OnSnapshotTaken(ulong index) => Tell(new ReplicaInput.SnapshotTaken(index));

    private long NowMs() => _clockOffsetMs + (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds;
}
