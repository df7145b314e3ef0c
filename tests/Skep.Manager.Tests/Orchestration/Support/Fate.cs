namespace Skep.Manager.Tests.Orchestration;

/// <summary>What becomes of a task that is started.</summary>
/// <param name="Kind">What.</param>
/// <param name="After">How long after it came to run.</param>
internal readonly record struct Fate(FateKind Kind, TimeSpan After)
{
    public static readonly Fate Runs = new(FateKind.Runs, TimeSpan.Zero);
    public static readonly Fate Rejected = new(FateKind.Rejected, TimeSpan.Zero);

    public static Fate FailsAfter(double seconds) => new(FateKind.Fails, TimeSpan.FromSeconds(seconds));

    public static Fate CompletesAfter(double seconds) => new(FateKind.Completes, TimeSpan.FromSeconds(seconds));
}

internal enum FateKind
{
    Runs,
    Fails,
    Completes,
    Rejected,
}
