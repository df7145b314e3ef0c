namespace Skep.Coordination.Replication;

/// <summary>What a member sees of its group.</summary>
/// <param name="LeaderId">Who leads as far as is known; 0 for nobody.</param>
/// <param name="Term">The term.</param>
/// <param name="Leads">Whether this member leads, and has applied all that was committed before it did.</param>
/// <param name="Members">How many members vote.</param>
/// <param name="Observes">Whether this member is in the group and does not vote.</param>
internal readonly record struct Standing(ulong LeaderId, ulong Term, bool Leads, int Members, bool Observes = false);

/// <summary>The group that a member is in: a real one, or a simulated one.</summary>
internal interface IConsensus
{
    Standing Standing { get; }

    /// <summary>Who is in the group, a line for each as ZooKeeper's configuration has it; another text when that changes.</summary>
    string Members { get; }

    /// <summary>Proposes a command; taken as it is when the call is made. What comes of it is seen when it is applied, or never.</summary>
    /// <param name="command">The command.</param>
    /// <param name="decided">Called when it was applied here or will perhaps never be, on any thread.</param>
    void Propose(ReadOnlyMemory<byte> command, Action decided);

    /// <summary>Finds out what was committed by now (ReadIndex).</summary>
    /// <param name="done">Called with true when this member has applied all of that, with false where no leader answers.</param>
    void ReadIndex(Action<bool> done);

    /// <summary>Has a member told at once what is committed, where this one leads: its clients wait for it.</summary>
    void HurryCommit(ulong member);

    /// <summary>Says something to another member; it may be lost.</summary>
    void SendAside(ulong member, ReadOnlyMemory<byte> bytes);
}
