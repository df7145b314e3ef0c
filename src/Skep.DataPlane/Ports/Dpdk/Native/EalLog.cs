using System.Runtime.InteropServices;
using System.Text;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>
/// Where DPDK's log goes: into memory that never grows, from which errors are made, and not to the terminal. What does not fit is
/// lost. The stream is never closed, since threads of DPDK may write at any time.
/// </summary>
internal static unsafe partial class EalLog
{
    private const int Bytes = 16_384;
    private const int LastLines = 8;
    private const int Unbuffered = 2;
    private static byte* s_buffer;
    private static void* s_file;

    /// <summary>Forgets what was logged; what comes from here on can be read.</summary>
    public static void Begin()
    {
        if (s_file == null)
        {
            s_buffer = (byte*)NativeMemory.AllocZeroed(Bytes);
            s_file = OpenMemory(s_buffer, Bytes, "w");
            if (s_file == null)
            {
                throw new IOException($"{Bytes} bytes for DPDK's log cannot be had");
            }
            _ = SetBuffer(s_file, null, Unbuffered, 0);
            _ = Eal.OpenLogStream(s_file);
        }
        Rewind(s_file);
        NativeMemory.Clear(s_buffer, Bytes);
    }

    /// <summary>The last lines since <see cref="Begin"/>, on one line.</summary>
    public static string Read()
    {
        ReadOnlySpan<byte> text = new(s_buffer, Bytes);
        int end = text.IndexOf((byte)0);
        string[] lines = Encoding.UTF8.GetString(end < 0 ? text : text[..end]).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 0 ? "DPDK says nothing" : string.Join("; ", lines.TakeLast(LastLines)).TrimEnd('.');
    }

    [LibraryImport("libc", EntryPoint = "fmemopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void* OpenMemory(void* buffer, nuint size, string mode);

    [LibraryImport("libc", EntryPoint = "setvbuf")]
    private static partial int SetBuffer(void* file, byte* buffer, int mode, nuint size);

    [LibraryImport("libc", EntryPoint = "rewind")]
    private static partial void Rewind(void* file);
}
