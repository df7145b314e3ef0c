namespace Skep.Raft.Log;

internal sealed partial class LogEngine
{
    private void Compact()
    {
        foreach (var name in _disk.List())
        {
            if (FileNames.TryParseSnapshot(name, out var group, out var index) && index < Read(group, static g => g.SnapshotIndex))
            {
                _disk.Delete(name);
            }
        }

        // From the oldest on, so that a crash in between leaves no gap.
        var removed = 0UL;
        List<Segment> gone = [];
        while (_segments.Count > 1 && IsNeedless(_segments[0]))
        {
            var segment = _segments[0];
            _disk.Delete(FileNames.Segment(segment.Sequence));
            removed = segment.Sequence;
            lock (_gate)
            {
                foreach (var group in _groups.Values)
                {
                    group.DropSegments(removed);
                }

                _segments.RemoveAt(0);
            }

            gone.Add(segment);
        }

        if (gone.Count > 0)
        {
            // A deleted file's space is freed when it is closed, which takes milliseconds for each: no commit is to wait for that.
            _ = Task.Run(() => gone.ForEach(static s => s.Dispose()));
        }

        if (removed > 0)
        {
            _disk.SyncFolder();
        }
    }

    private bool IsNeedless(Segment segment)
    {
        // A segment under an older data key is to go as soon as it can; whoever is behind is sent a snapshot.
        var isOld = !IsUnderCurrentKey(segment.Header);
        var keepEntries = isOld ? 0 : _options.KeepEntries;
        foreach (var (id, last) in segment.LastIndexes)
        {
            var snapshot = _groups[id].SnapshotIndex;
            if (snapshot <= keepEntries || (isOld ? LastHeld(id, last) : last) > snapshot - keepEntries)
            {
                return false;
            }
        }

        return true;
    }
}
