namespace Skep.DataPlane.Native;

/// <summary>Sleeps until a descriptor has something to read.</summary>
internal static unsafe class Poller
{
    private const short In = 1;

    /// <summary>Waits; a descriptor of -1 never wakes.</summary>
    public static void Wait(ReadOnlySpan<int> descriptors, int timeoutMs)
    {
        PollFd* fds = stackalloc PollFd[descriptors.Length];
        for (int i = 0; i < descriptors.Length; i++)
        {
            fds[i] = new PollFd { Descriptor = descriptors[i], Events = In };
        }
        // Woken early or refused, the caller looks at its ports all the same.
        _ = Libc.Poll(fds, (nuint)descriptors.Length, timeoutMs);
    }
}
