using Skep.Raft.Log;

namespace Skep.Raft.Tests.Simulation;

internal static class TestKeys
{
    public static byte[] DataKey { get; } = [.. Enumerable.Range(1, LogFormat.DataKeySizeBytes).Select(i => (byte)i)];

    public static byte[] OtherDataKey { get; } = [.. Enumerable.Range(101, LogFormat.DataKeySizeBytes).Select(i => (byte)i)];

    public static LogEngineOptions Options(int segmentSizeBytes = 16 * 1024, ulong keepEntries = 0, byte[]? key = null) =>
        new(new DataKeys(key ?? DataKey, [])) { SegmentSizeBytes = segmentSizeBytes, KeepEntries = keepEntries };
}
