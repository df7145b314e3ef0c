using System.Text;
using Skep.Raft.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Log;

/// <summary>Short words for logs over a simulated disk.</summary>
internal static class Journal
{
    public static LogEngine Open(SectorDisk disk, ulong keepEntries = 0, byte[]? key = null, int segmentSizeBytes = 16 * 1024) =>
        LogEngine.Open(disk, TestKeys.Options(segmentSizeBytes, keepEntries, key));

    public static LogRecord Entry(ulong index, string? text = null, ulong group = 1, ulong term = 1) =>
        LogRecord.Command(group, index, term, Encoding.ASCII.GetBytes(text ?? $"command {index}"));

    public static IReadOnlyList<string> Texts(LogEngine log, ulong group = 1)
    {
        var (first, last) = log.Read(group, static g => (g.FirstIndex, g.LastIndex));
        return [.. Entries(log, group, first, last).Select(e => Encoding.ASCII.GetString(e.Payload.Span))];
    }

    public static IEnumerable<LogRecord> Entries(LogEngine log, ulong group, ulong first, ulong last)
    {
        while (first <= last)
        {
            foreach (var entry in log.ReadEntries(group, first, 1024))
            {
                yield return entry;
                first = entry.Index + 1;
            }
        }
    }

    /// <summary>A log of so many entries, each a batch of its own, whose process was killed.</summary>
    public static SectorDisk Killed(int entries)
    {
        var disk = new SectorDisk();
        var log = Open(disk);
        for (var i = 1; i <= entries; i++)
        {
            log.Append([Entry((ulong)i)]);
        }

        return disk;
    }

    public static SectorDisk Closed(int entries)
    {
        var disk = Killed(entries);
        Open(disk).Dispose();
        return disk;
    }

    public static IEnumerable<string> Commands(int count) => Enumerable.Range(1, count).Select(i => $"command {i}");
}
