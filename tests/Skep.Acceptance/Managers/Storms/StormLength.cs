namespace Skep.Acceptance.Managers.Storms;

/// <summary>How long storms go on, and what fixes their faults.</summary>
internal static class StormLength
{
    /// <summary>Twenty seconds; SKEP_SOAK says otherwise, in seconds (1: five minutes).</summary>
    public static readonly TimeSpan Value = Environment.GetEnvironmentVariable("SKEP_SOAK") switch
    {
        null or "" => TimeSpan.FromSeconds(20),
        "1" => TimeSpan.FromMinutes(5),
        { } seconds => TimeSpan.FromSeconds(int.Parse(seconds)),
    };

    /// <summary>SKEP_STORM_SEED, or one drawn.</summary>
    public static readonly int Seed = Environment.GetEnvironmentVariable("SKEP_STORM_SEED") is { Length: > 0 } given ? int.Parse(given) : Random.Shared.Next();
}
