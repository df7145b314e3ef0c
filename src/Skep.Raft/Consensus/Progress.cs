namespace Skep.Raft.Consensus;

internal enum ProgressState : byte
{
    /// <summary>Where the logs part is not known: one message at a time.</summary>
    Probe,

    /// <summary>The logs agree: messages are sent without waiting for the answers.</summary>
    Replicate,

    /// <summary>A snapshot is on its way, nothing else is sent.</summary>
    Snapshot,
}

/// <summary>What the leader knows of a member.</summary>
internal sealed class Progress(CoreOptions options, ulong next, long nowMs)
{
    public ProgressState State { get; private set; } = ProgressState.Probe;

    /// <summary>Up to here the member holds this leader's log on disk.</summary>
    public ulong Match { get; set; }

    public ulong Next { get; set; } = next;

    public ulong CommitSent { get; set; }

    /// <summary>The leader's clock when it last told how far all is committed; a read that waits for that makes it long ago.</summary>
    public long CommitSentMs { get; set; }

    public bool ProbeSent { get; set; }

    public ulong PendingSnapshot { get; private set; }

    public long HeardMs { get; set; } = nowMs;

    /// <summary>The latest heartbeat round it answered.</summary>
    public ulong AnsweredRound { get; set; }

    /// <summary>The leader's clock when it sent the latest message that was answered; null before the first.</summary>
    public long? AnsweredSentMs { get; set; }

    /// <summary>When an answer to what is in flight was last seen, or waiting for one began.</summary>
    public long WaitingSinceMs { get; set; }

    /// <summary>Since when it is no longer a member; null while it is.</summary>
    public long? LeavingSinceMs { get; set; }

    public InFlight InFlight { get; } = new(options.MaxInFlightMessages, options.MaxInFlightBytes);

    public void BecomeProbe()
    {
        // After a snapshot the member is at least as far as that, if it arrived.
        Next = State == ProgressState.Snapshot ? Math.Max(Match, PendingSnapshot) + 1 : Match + 1;
        State = ProgressState.Probe;
        ProbeSent = false;
        PendingSnapshot = 0;
        InFlight.Clear();
    }

    public void SnapshotFailed()
    {
        PendingSnapshot = 0;
        BecomeProbe();
    }

    public void BecomeReplicate()
    {
        State = ProgressState.Replicate;
        ProbeSent = false;
        PendingSnapshot = 0;
        Next = Match + 1;
        InFlight.Clear();
    }

    public void BecomeSnapshot(ulong index, long nowMs)
    {
        State = ProgressState.Snapshot;
        PendingSnapshot = index;
        WaitingSinceMs = nowMs;
        InFlight.Clear();
    }

    /// <summary>Takes an acknowledgement.</summary>
    /// <returns>Whether it was news.</returns>
    public bool Acknowledge(ulong index, long nowMs)
    {
        if (index > Match)
        {
            Match = index;
            WaitingSinceMs = nowMs;
        }
        else if (State != ProgressState.Probe || index < Match)
        {
            return false;
        }

        Next = Math.Max(Next, Match + 1);
        InFlight.FreeUpTo(index);
        return true;
    }

    /// <summary>Takes a refusal of the entry before those sent.</summary>
    /// <param name="rejected">The index that the follower does not hold as the leader does.</param>
    /// <param name="tryFrom">The last index that may agree.</param>
    /// <returns>Whether it was news.</returns>
    public bool Refuse(ulong rejected, ulong tryFrom)
    {
        if (State == ProgressState.Snapshot || rejected <= Match)
        {
            return false;
        }

        if (State == ProgressState.Replicate)
        {
            BecomeProbe();
            return true;
        }

        if (Next - 1 != rejected)
        {
            return false;
        }

        Next = Math.Max(Math.Min(rejected, tryFrom + 1), Match + 1);
        ProbeSent = false;
        return true;
    }
}
