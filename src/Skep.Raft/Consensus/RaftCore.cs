using Skep.Raft.Log;

namespace Skep.Raft.Consensus;

/// <summary>
/// A member of a group, without I/O, clock, threads or randomness of its own: inputs go in as calls, what is to be done
/// comes out of <see cref="TakeOutput"/>. Calls come one after another from one place.
/// </summary>
internal sealed partial class RaftCore
{
    private readonly CoreOptions _options;
    private readonly Random _random;
    private readonly EntryLog _log;
    private readonly SortedDictionary<ulong, Progress> _progress = [];
    private readonly Dictionary<ulong, bool> _votes = [];
    private ulong _vote;
    private long _nowMs;
    private long _timerMs;
    private long _timeoutMs;
    private long _leaderHeardMs;
    private long _lastSentMs;

    /// <param name="options">Times and bounds.</param>
    /// <param name="hardState">As last written; default for a new member.</param>
    /// <param name="snapshot">The latest snapshot on disk; a group begins with one that holds its members.</param>
    /// <param name="source">The entries on disk.</param>
    /// <param name="random">Spreads the election timeouts.</param>
    /// <param name="nowMs">The member's monotonic clock.</param>
    public RaftCore(CoreOptions options, HardState hardState, SnapshotMeta? snapshot, IEntrySource source, Random random, long nowMs)
    {
        _options = options;
        _random = random;
        _log = new EntryLog(options, source, snapshot);
        Term = Math.Max(hardState.Term, snapshot?.Term ?? 0);
        _vote = hardState.Vote;
        _applyTold = snapshot?.Index ?? 0;
        Commit = Math.Max(_applyTold, Math.Min(hardState.Commit, _log.LastIndex));

        // What was promised before a restart is not remembered, so it is taken that a leader was heard just now.
        _nowMs = _leaderHeardMs = nowMs;
        RestartTimer();
    }

    public ulong Id => _options.Id;

    public ulong Term { get; private set; }

    public Role Role { get; private set; }

    /// <summary>The leader of this term as far as known; 0 when not.</summary>
    public ulong Leader { get; private set; }

    public ulong Commit { get; private set; }

    /// <summary>Members as of the log's end, committed or not: that is what counts.</summary>
    public RaftConfiguration Configuration => _log.Configuration;

    public ulong ConfigurationIndex => _log.ConfigurationIndex;

    public ulong LastIndex => _log.LastIndex;

    /// <summary>What a leader knows of the members, itself included; empty elsewhere.</summary>
    public IReadOnlyDictionary<ulong, Progress> Members => _progress;

    /// <summary>When a member that does not lead asks for votes, unless it hears from a leader before.</summary>
    public long ElectionDueMs => _timerMs + _timeoutMs;

    public bool HasFault(CoreFaults fault) => (_options.Faults & fault) != 0;

    public ulong? TermAt(ulong index) => _log.TermAt(index);

    /// <summary>Term and members as of an applied index, for a snapshot of it; null while a leader's snapshot takes its place.</summary>
    public SnapshotMeta? DescribeSnapshot(ulong index)
    {
        var (at, configuration) = _log.ConfigurationAt(index);
        return _log.TermAt(index) is { } term && !_log.IsInstalling ? new SnapshotMeta(index, term, at, configuration) : null;
    }

    public IReadOnlyList<LogRecord> ReadEntries(ulong from, ulong to, long maxSizeBytes) => _log.Read(from, to, maxSizeBytes);

    /// <summary>Time passes: elections, heartbeats, time-outs.</summary>
    public void Tick(long nowMs)
    {
        _nowMs = Math.Max(_nowMs, nowMs);
        if (Role == Role.Leader)
        {
            TickLeader();
        }
        else if (_nowMs - _timerMs >= _timeoutMs)
        {
            RestartTimer();
            if (IsPromotable)
            {
                Campaign(pre: true, force: false);
            }
            else
            {
                // It elects nobody, and must not take who was silent for so long for a leader still.
                Leader = 0;
            }
        }
        else if (Role != Role.Follower && _nowMs - _lastSentMs >= _options.HeartbeatMs)
        {
            AskForVotes();
        }
    }

    /// <summary>A message arrives, at this moment of the member's clock.</summary>
    public void Step(long nowMs, Message message)
    {
        _nowMs = Math.Max(_nowMs, nowMs);
        if (message.To == Id && !IsFromAnotherGroup(message) && Admit(message))
        {
            Handle(message);
        }
    }

    /// <summary>A snapshot of this member's own is on disk; entries before <paramref name="keepFrom"/> may be gone.</summary>
    public void SnapshotTaken(SnapshotMeta snapshot, ulong keepFrom) => _log.Compact(snapshot, keepFrom);

    /// <summary>
    /// The only voter leads whatever there is to lead: who else asks for votes or claims the lead is of a group that went on without it, as
    /// former voters do that were given up and come back, and their terms must not depose it.
    /// </summary>
    private bool IsFromAnotherGroup(Message m) =>
        m.From != Id
        && (m.IsFromLeader || m.Type is MessageType.PreVote or MessageType.Vote)
        && IsOnlyVoter(_log.Configuration)
        && _log.ConfigurationsSince(Commit).All(IsOnlyVoter);

    private bool IsOnlyVoter(RaftConfiguration c) => c.Voters.Count == 1 && c.Voters[0].Id == Id && c.OutgoingVoters.Count == 0;

    /// <summary>Settles what terms differ about; false when nothing is left to handle.</summary>
    private bool Admit(Message m)
    {
        if (m.Term > Term)
        {
            return AdmitHigher(m);
        }

        if (m.Term == Term)
        {
            return true;
        }

        if (m.IsFromLeader)
        {
            // A leader of the past hears of the present, or this member could not come back under it.
            Send(new Message { Type = MessageType.AppendResponse, From = Id, To = m.From, Term = Term, Reject = true }, _termSequence);
        }
        else if (m.Type == MessageType.PreVote)
        {
            Send(new Message { Type = MessageType.PreVoteResponse, From = Id, To = m.From, Term = Term, Reject = true }, _termSequence);
        }

        return false;
    }

    private bool AdmitHigher(Message m)
    {
        switch (m.Type)
        {
            case MessageType.PreVote:
                return m.Force || !HasPromised;
            case MessageType.Vote when !m.Force && HasPromised:
                return false;
            case MessageType.PreVoteResponse when !m.Reject:
                return true;
            default:
                BecomeFollower(m.Term, m.IsFromLeader ? m.From : 0);
                return true;
        }
    }

    private void Handle(Message m)
    {
        switch (m.Type)
        {
            case MessageType.PreVote or MessageType.Vote:
                HandleVote(m);
                break;
            case MessageType.PreVoteResponse or MessageType.VoteResponse:
                HandleVoteResponse(m);
                break;
            case MessageType.Append or MessageType.Heartbeat or MessageType.Snapshot:
                HandleLeader(m);
                break;
            case MessageType.AppendResponse or MessageType.HeartbeatResponse when Role == Role.Leader:
                HandleAnswer(m);
                break;
            case MessageType.TimeoutNow:
                HandleTimeoutNow(m);
                break;
            case MessageType.ReadIndex when Role == Role.Leader:
                AdmitRead(m.From, m.Context);
                break;
            case MessageType.ReadIndexResponse:
                _reads.Add(new ReadState(m.Context, m.Reject ? null : m.Index));
                break;
            default:
                break;
        }
    }

    private void BecomeFollower(ulong term, ulong leader)
    {
        if (Role == Role.Leader)
        {
            LeaveLead();
        }

        Role = Role.Follower;
        SetTerm(term);
        Leader = leader;
        RestartTimer();
    }

    private void SetTerm(ulong term)
    {
        if (term != Term)
        {
            Term = term;
            _vote = 0;
            TermChanged();
        }
    }

    private void RestartTimer()
    {
        _timerMs = _nowMs;
        _timeoutMs = _options.ElectionTimeoutMs + _random.Next(_options.ElectionTimeoutMs);
    }
}
