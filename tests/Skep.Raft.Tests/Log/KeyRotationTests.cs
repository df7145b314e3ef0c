using Skep.Raft.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Log;

public sealed class KeyRotationTests
{
    private const int Entries = 12;
    private const int SnapshotAt = 5;

    private static byte[] Old => TestKeys.DataKey;

    private static byte[] New => TestKeys.OtherDataKey;

    [Fact]
    public void Older_files_are_read_by_the_older_key_until_a_snapshot_takes_their_place()
    {
        var disk = Begun();
        var kept = new KeyFile(Old, New);
        var log = kept.Open(disk);
        log.UseKey(New);
        Assert.Throws<WrongDataKeyException>(() => Journal.Open(disk.Copy(), key: New));
        Assert.Throws<WrongDataKeyException>(() => Journal.Open(disk.Copy(), key: Old));
        Assert.False(log.TryForgetOlderKeys());
        Assert.Equal((ulong)Entries, log.NeededUnderOlderKey(1));

        TakeSnapshot(disk, kept, log);
        Assert.Null(log.NeededUnderOlderKey(1));
        Assert.True(log.TryForgetOlderKeys());
        AssertOnly(New, disk);
        log.Append([Journal.Entry(Entries + 1)]);
        using var again = Journal.Open(disk, key: New);
        Assert.Equal([$"command {Entries + 1}"], Journal.Texts(again));
    }

    [Fact]
    public void A_snapshot_at_the_last_entry_is_taken_anew_under_the_new_key()
    {
        var disk = Begun();
        var kept = new KeyFile(Old, New);
        using (var log = new KeyFile(Old, null).Open(disk))
        {
            TakeSnapshot(disk, new KeyFile(Old, null), log);
        }

        using var next = kept.Open(disk);
        Assert.Equal((ulong)Entries, next.NeededUnderOlderKey(1));
        TakeSnapshot(disk, kept, next);
        Assert.True(next.TryForgetOlderKeys());
        AssertOnly(New, disk);
    }

    [Fact]
    public void Entries_that_a_truncation_has_voided_are_not_waited_for()
    {
        var disk = new SectorDisk();
        var kept = new KeyFile(Old, New);
        var log = new KeyFile(Old, null).Open(disk);
        log.Append([Journal.Entry(1), Journal.Entry(2), Journal.Entry(3)]);
        log.UseKey(New);
        Assert.Equal(3UL, log.NeededUnderOlderKey(1));
        log.Truncate(1, 2);
        log.Append([Journal.Entry(2, "instead")]);
        TakeSnapshot(disk, kept, log);
        Assert.True(log.TryForgetOlderKeys());
        AssertOnly(New, disk);
    }

    [Fact]
    public void Without_room_for_a_segment_the_old_key_stays_in_use_and_the_change_can_be_asked_again()
    {
        var disk = Begun();
        var log = new KeyFile(Old, null).Open(disk);
        disk.IsFull = true;
        Assert.Throws<LogFullException>(() => log.UseKey(New));
        log.Append([Journal.Entry(Entries + 1)]);
        disk.IsFull = false;
        log.UseKey(New);
        log.Append([Journal.Entry(Entries + 2)]);
        using var again = new KeyFile(Old, New).Open(disk);
        Assert.Equal(Journal.Commands(Entries + 2).Skip(SnapshotAt), Journal.Texts(again).TakeLast(Entries + 2 - SnapshotAt));
    }

    /// <summary>The process dies within each call to the disk and on either side of each write of the key file, and the power goes too.</summary>
    [Fact]
    public void A_death_at_any_point_leaves_a_folder_that_opens_and_a_change_that_can_be_finished()
    {
        var deaths = 0;
        for (var at = 0; ; at++)
        {
            var disk = Begun();
            var kept = new KeyFile(Old, null);
            var log = kept.Open(disk);
            disk.CrashIn = at;
            var died = false;
            try
            {
                kept = Rotate(disk, log, kept, next => kept = next);
            }
            catch (Exception e) when (e is SimulatedCrashException || e.InnerException is SimulatedCrashException)
            {
                died = true;
                deaths++;
            }

            for (var seed = 0; seed < 6; seed++)
            {
                disk.CrashIn = null;
                CheckSurvives((seed == 0 ? disk : disk.AfterPowerLoss(new Random(seed))).Copy(), kept);
            }

            if (!died)
            {
                break;
            }
        }

        Assert.True(deaths > 20, $"only {deaths} points were tried");
    }

    private static void CheckSurvives(SectorDisk disk, KeyFile kept)
    {
        var log = kept.Open(disk);
        var (first, last, snapshot) = log.Read(1, static g => (g.FirstIndex, g.LastIndex, g.SnapshotIndex));
        Assert.Equal((ulong)Entries, last);
        Assert.True(first <= snapshot + 1);
        Assert.Equal(Journal.Commands(Entries).Skip((int)first - 1), Journal.Texts(log));
        using (var reader = SnapshotReader.Open(disk, kept.Keys(), 1, snapshot))
        using (var text = new StreamReader(reader))
        {
            Assert.Equal($"all up to {snapshot}", text.ReadToEnd());
        }

        kept = Rotate(disk, log, kept, static _ => { });
        Assert.Equal((New, null), (kept.Current, kept.Pending));
        AssertOnly(New, disk);
        using var again = Journal.Open(disk, key: New);
        Assert.Equal((ulong)Entries, again.Read(1, static g => g.LastIndex));
    }

    // As a manager does it: the pending key is kept, then used, then current.
    private static KeyFile Rotate(SectorDisk disk, LogEngine log, KeyFile kept, Action<KeyFile> keep)
    {
        if (kept.Current.AsSpan().SequenceEqual(New))
        {
            return kept;
        }

        keep(kept = new KeyFile(Old, New));
        log.UseKey(New);
        TakeSnapshot(disk, kept, log);
        Assert.True(log.TryForgetOlderKeys());
        keep(kept = new KeyFile(New, null));
        return kept;
    }

    private static void TakeSnapshot(SectorDisk disk, KeyFile kept, LogEngine log)
    {
        var index = log.Read(1, static g => g.LastIndex);
        using (var file = SnapshotWriter.Create(disk, kept.Options(), 1, index, 1, 0, default))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes($"all up to {index}"));
            file.Commit();
        }

        log.NoteSnapshot(1, index, 1);
    }

    private static SectorDisk Begun()
    {
        var disk = new SectorDisk();
        var kept = new KeyFile(Old, null);
        using var log = kept.Open(disk);
        for (var i = 1; i <= Entries; i++)
        {
            log.Append([Journal.Entry((ulong)i)]);
            if (i == SnapshotAt)
            {
                TakeSnapshot(disk, kept, log);
            }
        }

        return disk;
    }

    private static void AssertOnly(byte[] key, SectorDisk disk)
    {
        var id = new DataKeys(key, []).CurrentId;
        Assert.All(disk.List(), name => Assert.Equal(id, disk.Content(name)[40..56]));
    }

    /// <summary>What a manager's key file holds.</summary>
    private sealed record KeyFile(byte[] Current, byte[]? Pending)
    {
        public DataKeys Keys() => Pending is null ? new(Current, []) : new(Pending, [Current]);

        public LogEngineOptions Options() => new(Keys()) { SegmentSizeBytes = 16 * 1024, KeepEntries = 0 };

        public LogEngine Open(SectorDisk disk) => LogEngine.Open(disk, Options());
    }
}
