namespace Skep.DataPlane.Native;

/// <summary>A socket that nothing is sent by: through it the kernel is asked about devices.</summary>
internal readonly struct KernelSocket : IDisposable
{
    public const int Internet = 2;
    private const int DatagramCloseOnExec = 2 | 0x80000;

    /// <summary>Opens one.</summary>
    /// <exception cref="IOException">The kernel gives none.</exception>
    public KernelSocket(int family)
    {
        Descriptor = Libc.Socket(family, DatagramCloseOnExec, 0);
        if (Descriptor < 0)
        {
            throw Libc.Failed("no socket can be opened");
        }
    }

    public int Descriptor { get; }

    public void Dispose() => _ = Libc.Close(Descriptor);
}
