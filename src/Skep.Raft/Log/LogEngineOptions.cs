using System.Security.Cryptography;

namespace Skep.Raft.Log;

/// <summary>What a <see cref="LogEngine"/> needs to know and is not its own to decide.</summary>
internal sealed record LogEngineOptions(DataKeys Keys)
{
    public const int DefaultSegmentSizeBytes = 16 * 1024 * 1024;

    /// <summary>Preallocated size of a segment; a record that needs more gets a larger one.</summary>
    public int SegmentSizeBytes { get; init; } = DefaultSegmentSizeBytes;

    /// <summary>Entries kept below a snapshot, for members that are a little behind.</summary>
    public ulong KeepEntries { get; init; } = 500;

    /// <summary>Fills a new file's salt; anything but a strong random source is for tests.</summary>
    public Action<byte[]> FillSalt { get; init; } = static salt => RandomNumberGenerator.Fill(salt);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Gives a synced file of zeros prepared earlier and its name, or null.</summary>
    public Func<(IDiskFile File, string Name)?> TakeSpare { get; init; } = static () => null;
}
