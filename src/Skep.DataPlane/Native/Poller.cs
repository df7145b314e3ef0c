namespace Skep.DataPlane.Native;

/// <summary>Sleeps until a descriptor has something to read.</summary>
internal static unsafe class Poller
{
    private const short In = 1;
    private const short Error = 8;

    /// <summary>Waits; a descriptor of -1 never wakes.</summary>
    public static void Wait(ReadOnlySpan<int> descriptors, int timeoutMs)
    {
        PollFd* fds = stackalloc PollFd[descriptors.Length];
        for (int i = 0; i < descriptors.Length; i++)
        {
            fds[i] = new PollFd { Descriptor = descriptors[i], Events = In };
        }
        // Woken early or refused, the caller looks at its ports all the same.
        if (Libc.Poll(fds, (nuint)descriptors.Length, timeoutMs) <= 0)
        {
            return;
        }
        for (int i = 0; i < descriptors.Length; i++)
        {
            if ((fds[i].Result & Error) != 0)
            {
                Forget(fds[i].Descriptor);
            }
        }
    }

    // A packet socket whose device went down is in error, and ends every wait at once, until somebody asks what it is.
    private static void Forget(int socket)
    {
        const int socketLevel = 1, pendingError = 4;
        int error = 0;
        uint bytes = sizeof(int);
        if (Libc.GetSockOpt(socket, socketLevel, pendingError, &error, &bytes) < 0 || error == 0)
        {
            // What stays in error, as a device that is gone does, must not keep a core busy.
            Thread.Sleep(1);
        }
    }
}
