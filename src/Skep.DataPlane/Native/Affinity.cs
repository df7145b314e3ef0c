namespace Skep.DataPlane.Native;

/// <summary>Where a thread may run.</summary>
internal static unsafe class Affinity
{
    private const int MaxCores = 1024;

    /// <summary>Keeps the calling thread on a core.</summary>
    /// <exception cref="IOException">There is no such core, or this process may not use it.</exception>
    public static void PinTo(int core)
    {
        const int words = MaxCores / 64;
        ulong* mask = stackalloc ulong[words];
        new Span<ulong>(mask, words).Clear();
        if (core is < 0 or >= MaxCores)
        {
            throw new IOException($"core {core}: expected 0 to {Environment.ProcessorCount - 1}");
        }
        mask[core / 64] = 1UL << (core % 64);
        if (Libc.SetAffinity(0, words * sizeof(ulong), mask) != 0)
        {
            throw Libc.Failed($"core {core} cannot be had");
        }
    }
}
