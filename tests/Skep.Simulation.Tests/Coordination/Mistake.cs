namespace Skep.Simulation;

/// <summary>Mistakes put around the service from outside, so that the simulation can show that it would find them.</summary>
internal enum Mistake
{
    None,

    /// <summary>A request that was sent again is done again.</summary>
    DuplicatesDone,

    /// <summary>A session ends although it was taken up again after that was decided.</summary>
    ExpiryOfAnyEpoch,

    /// <summary>Who comes to lead goes on with the deadlines that it knows.</summary>
    DeadlinesKept,

    /// <summary>Nobody is asked whether this member has all that was committed.</summary>
    ReadsWithoutBarrier,

    /// <summary>An answer overtakes the events of what it shows.</summary>
    EventsAfterAnswers,

    /// <summary>Members do not tell their leader which clients they heard.</summary>
    HeardNotTold,

    /// <summary>Who takes a snapshot over keeps its clients connected.</summary>
    ClientsKeptOverSnapshot,

    /// <summary>Clients are told of the first members only.</summary>
    MembersNotTold,

    /// <summary>A member that is cut off does not look at what a client has seen.</summary>
    OlderReadOnly,

    /// <summary>Another container is taken away with what is over.</summary>
    AnotherPassed,

    /// <summary>What is over stays.</summary>
    NothingPasses,
}

/// <summary>What a run of the service is made of; everything else follows from the seed.</summary>
internal sealed record ServiceOptions
{
    public Mistake Mistake { get; init; }

    /// <summary>How long faults go on, in ms of virtual time.</summary>
    public int StormMs { get; init; } = 20_000;

    public Action<string>? Trace { get; init; }
}
