using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>A group's entries on disk, for its core.</summary>
internal sealed class LogSource(LogEngine engine, ulong group) : IEntrySource
{
    public ulong FirstIndex => engine.Read(group, static g => g.FirstIndex);

    public ulong LastIndex => engine.Read(group, static g => g.LastIndex);

    public IReadOnlyList<LogRecord> ReadTerms(ulong from, ulong to, long maxSizeBytes)
    {
        const int MaxEntries = 64 * 1024;
        to = Math.Min(to, from + MaxEntries - 1);
        var entries = engine.Read(group, g => g.Heads(from, to));
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Type == RecordType.Configuration)
            {
                entries[i] = engine.ReadEntries(group, entries[i].Index, 0)[0];
            }
        }

        return entries;
    }

    public IReadOnlyList<LogRecord> ReadEntries(ulong from, ulong to, long maxSizeBytes)
    {
        try
        {
            var entries = engine.ReadEntries(group, from, (int)Math.Min(maxSizeBytes, int.MaxValue));
            return entries.Count == 0 || entries[^1].Index <= to ? entries : [.. entries.TakeWhile(e => e.Index <= to)];
        }
        catch (ArgumentOutOfRangeException)
        {
            // Compacted away since the core looked; it sends a snapshot instead.
            return [];
        }
    }
}
