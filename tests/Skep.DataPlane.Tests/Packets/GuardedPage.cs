using System.Runtime.InteropServices;

namespace Skep.DataPlane.Tests.Packets;

/// <summary>Memory with a page behind it that may not be touched.</summary>
internal sealed unsafe partial class GuardedPage : IDisposable
{
    public const int SizeBytes = 4096;
    private readonly byte* _start;

    public GuardedPage()
    {
        _start = (byte*)mmap(null, 2 * SizeBytes, 3, 0x22, -1, 0);
        Assert.NotEqual(-1, (nint)_start);
        Assert.Equal(0, mprotect(_start + SizeBytes, SizeBytes, 0));
    }

    /// <summary>Bytes whose last is the page's last.</summary>
    public Span<byte> AtEnd(int length) => new(_start + SizeBytes - length, length);

    public void Dispose() => _ = munmap(_start, 2 * SizeBytes);

    [LibraryImport("libc")]
    private static partial void* mmap(void* address, nint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc")]
    private static partial int mprotect(void* address, nint length, int protection);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nint length);
}
