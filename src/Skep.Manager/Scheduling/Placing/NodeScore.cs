namespace Skep.Manager.Scheduling;

/// <summary>How good a node is, in one number to compare: failures, then tasks of the service, then tasks, then its number.</summary>
internal static class NodeScore
{
    private const int FailuresShift = 56;
    private const int ServiceShift = 38;
    private const int TotalShift = 18;

    /// <summary>Packs a score; a number too big for its place counts as the biggest that fits.</summary>
    public static ulong Of(int failures, int serviceTasks, int allTasks, int number) =>
        ((ulong)Math.Min(failures, 0xFF) << FailuresShift)
        | ((ulong)Math.Min(serviceTasks, 0x3FFFF) << ServiceShift)
        | ((ulong)Math.Min(allTasks, 0xFFFFF) << TotalShift)
        | (uint)Math.Min(number, 0x3FFFF);

    /// <summary>The same with other failures.</summary>
    public static ulong WithFailures(ulong score, int failures) =>
        (score & ~(0xFFUL << FailuresShift)) | ((ulong)Math.Min(failures, 0xFF) << FailuresShift);

    /// <summary>The failures of a score.</summary>
    public static int Failures(ulong score) => (int)(score >> FailuresShift);

    /// <summary>The tasks of the service of a score.</summary>
    public static int ServiceTasks(ulong score) => (int)(score >> ServiceShift) & 0x3FFFF;
}
