namespace Skep.Raft.Log;

/// <summary>
/// One folder on a disk, as the log needs it. The product has one implementation, on Linux' own calls; the tests
/// have another that loses, tears and reorders what was not synced.
/// </summary>
internal interface IDisk
{
    /// <summary>The folder's path, for messages.</summary>
    string Folder { get; }

    IReadOnlyList<string> List();

    /// <summary>Makes a file; <paramref name="sizeBytes"/> of zeros are reserved, written and synced.</summary>
    /// <exception cref="DiskException">No room: then no file is left behind.</exception>
    IDiskFile Create(string name, long sizeBytes);

    IDiskFile Open(string name);

    /// <summary>Gives a file another name, in one step; durable after <see cref="SyncFolder"/>.</summary>
    void Rename(string from, string to);

    void Delete(string name);

    void SyncFolder();
}

internal interface IDiskFile : IDisposable
{
    long LengthBytes { get; }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    /// <returns>Bytes read.</returns>
    int Read(long offset, Span<byte> buffer);

    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>fdatasync: returns when all written bytes are on disk.</summary>
    void Sync();

    void Truncate(long lengthBytes);
}
