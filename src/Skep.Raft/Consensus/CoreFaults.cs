namespace Skep.Raft.Consensus;

/// <summary>
/// Mistakes that the core makes when it is told to, so that the simulation can show that it would find them. Never set
/// outside tests.
/// </summary>
[Flags]
internal enum CoreFaults
{
    None = 0,

    /// <summary>Followers, and the leader for itself, acknowledge entries that are not on disk yet.</summary>
    AcknowledgeBeforeSync = 1,

    /// <summary>Commits the median of the replies so far instead of what a majority of all voters holds.</summary>
    MedianOfReplies = 2,

    /// <summary>Commits entries of earlier terms by counting who holds them.</summary>
    CommitEarlierTerm = 4,

    /// <summary>The vote is forgotten over a restart.</summary>
    VoteNotDurable = 8,

    /// <summary>A leader answers reads without asking whether it still leads.</summary>
    ReadWithoutLeaseCheck = 16,

    /// <summary>The lease goes on while leadership is handed over.</summary>
    LeaseKeptThroughTransfer = 32,

    /// <summary>Voters are exchanged in one step, however many they are.</summary>
    SingleStepChange = 64,
}
