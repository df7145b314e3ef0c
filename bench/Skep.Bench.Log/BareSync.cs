using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Skep.Bench.Log;

/// <summary>What the disk gives without any log: 200 bytes into a file of zeros, fdatasync, and again.</summary>
internal static partial class BareSync
{
    private const int RecordSizeBytes = 200;
    private const int FileSizeBytes = 16 * 1024 * 1024;

    public static double Measure(string folder, TimeSpan duration)
    {
        Directory.CreateDirectory(folder);
        using var file = File.OpenHandle(Path.Combine(folder, "bare"), FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.Write(file, new byte[FileSizeBytes], 0);
        RandomAccess.FlushToDisk(file);
        var record = new byte[RecordSizeBytes];
        Array.Fill(record, (byte)1);
        var began = Stopwatch.GetTimestamp();
        long count = 0;
        while (Stopwatch.GetElapsedTime(began) < duration)
        {
            RandomAccess.Write(file, record, count * RecordSizeBytes % (FileSizeBytes - RecordSizeBytes));
            if (DataSync(file) != 0)
            {
                throw new IOException($"fdatasync failed: {Marshal.GetLastPInvokeErrorMessage()}");
            }

            count++;
        }

        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeHandle fd);
}
