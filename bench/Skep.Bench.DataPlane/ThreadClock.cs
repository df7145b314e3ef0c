using System.Runtime.InteropServices;

namespace Skep.Bench.DataPlane;

/// <summary>Processor time of the calling thread: what a busy neighbour does not lengthen.</summary>
internal static partial class ThreadClock
{
    private const int ThreadCpu = 3;

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds, Nanoseconds;
    }

    /// <summary>Microseconds since the thread began.</summary>
    public static double NowUs => clock_gettime(ThreadCpu, out Time time) == 0
        ? time.Seconds * 1e6 + time.Nanoseconds / 1e3
        : throw new InvalidOperationException("the thread's clock cannot be read");

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out Time time);
}
