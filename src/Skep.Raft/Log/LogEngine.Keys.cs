namespace Skep.Raft.Log;

internal sealed partial class LogEngine
{
    /// <summary>Whether new files are written under this key already, the current segment too.</summary>
    private bool WritesUnderCurrentKey => _writer is { } writer && IsUnderCurrentKey(writer.Segment.Header);

    /// <summary>
    /// Goes on under another data key: in a new segment, and without what no longer needs an older key. Asked again after a
    /// failure, or at a later start, it goes on where it stopped.
    /// </summary>
    /// <exception cref="LogFullException">No room for a segment; the current one stays in use.</exception>
    public void UseKey(ReadOnlyMemory<byte> key)
    {
        ThrowIfFailed();
        _options.Keys.Use(key);
        if (!WritesUnderCurrentKey)
        {
            OpenSegment([], 0);
        }

        Guard(Compact);
    }

    /// <summary>
    /// Up to which entry a snapshot of a group must reach, so that nothing of the group is left under an older key; null when nothing
    /// is.
    /// </summary>
    public ulong? NeededUnderOlderKey(ulong group)
    {
        ulong? needed = null;
        var head = new byte[LogFormat.HeaderSizeBytes];
        foreach (var name in _disk.List())
        {
            if (FileNames.TryParseSnapshot(name, out var of, out var index) && of == group)
            {
                using var file = _disk.Open(name);
                var path = Path.Combine(Folder, name);
                if (!IsUnderCurrentKey(FileHeader.Read(head.AsSpan(0, ReadFile(file, path, head)), FileKind.Snapshot, index, path)))
                {
                    needed = Math.Max(needed ?? 0, index);
                }
            }
        }

        foreach (var segment in _segments)
        {
            // What a snapshot has taken the place of stays only until the other groups' entries in the segment may go as well.
            if (!IsUnderCurrentKey(segment.Header) && segment.LastIndexes.TryGetValue(group, out var last)
                && (LastHeld(group, last) > _groups[group].SnapshotIndex || _groups[group].SnapshotIndex == 0))
            {
                needed = Math.Max(needed ?? 0, LastHeld(group, last));
            }
        }

        return needed;
    }

    /// <summary>Whether no file of the folder needs an older key; then it is forgotten.</summary>
    public bool TryForgetOlderKeys()
    {
        Guard(Compact);
        if (_segments.Exists(s => !IsUnderCurrentKey(s.Header)) || _groups.Keys.Any(g => NeededUnderOlderKey(g) is not null))
        {
            return false;
        }

        Guard(_disk.SyncFolder);
        _options.Keys.ForgetOlder();
        return true;
    }

    // What a truncation has voided needs no snapshot.
    private ulong LastHeld(ulong group, ulong last) => Math.Min(last, _groups[group].LastIndex);

    private bool IsUnderCurrentKey(FileHeader header) => header.KeyId.AsSpan().SequenceEqual(_options.Keys.CurrentId);
}
