using System.Globalization;

namespace Skep.Raft.Log;

/// <summary>The names in a log's folder; what ends in .tmp was never finished.</summary>
internal static class FileNames
{
    public const string Temporary = ".tmp";
    public const string NewSegment = "segment.tmp";
    public const string Spare = "spare.tmp";

    private const string SegmentPrefix = "log-";
    private const string SegmentSuffix = ".seg";
    private const string SnapshotPrefix = "snap-";
    private const string SnapshotSuffix = ".snap";
    private const int HexDigits = 16;

    public static string Segment(ulong sequence) => $"{SegmentPrefix}{sequence:x16}{SegmentSuffix}";

    public static string Snapshot(ulong group, ulong index) => $"{SnapshotPrefix}{group:x16}-{index:x16}{SnapshotSuffix}";

    public static string NewSnapshot(ulong group) => $"snap-{group:x16}{Temporary}";

    public static bool TryParseSegment(string name, out ulong sequence)
    {
        sequence = 0;
        return name.Length == SegmentPrefix.Length + HexDigits + SegmentSuffix.Length
            && name.StartsWith(SegmentPrefix, StringComparison.Ordinal)
            && name.EndsWith(SegmentSuffix, StringComparison.Ordinal)
            && TryParseHex(name.AsSpan(SegmentPrefix.Length, HexDigits), out sequence);
    }

    public static bool TryParseSnapshot(string name, out ulong group, out ulong index)
    {
        group = index = 0;
        return name.Length == SnapshotPrefix.Length + HexDigits + 1 + HexDigits + SnapshotSuffix.Length
            && name.StartsWith(SnapshotPrefix, StringComparison.Ordinal)
            && name.EndsWith(SnapshotSuffix, StringComparison.Ordinal)
            && TryParseHex(name.AsSpan(SnapshotPrefix.Length, HexDigits), out group)
            && TryParseHex(name.AsSpan(SnapshotPrefix.Length + HexDigits + 1, HexDigits), out index);
    }

    private static bool TryParseHex(ReadOnlySpan<char> text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
