using Skep.Raft.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Log;

public sealed class LogEngineTests
{
    [Fact]
    public void Groups_share_the_files_and_keep_apart()
    {
        var disk = new SectorDisk();
        using (var log = Journal.Open(disk))
        {
            for (ulong i = 1; i <= 20; i++)
            {
                log.Append([Journal.Entry(i, $"a{i}", 1), Journal.Entry(i, $"b{i}", 2), Journal.Entry(i, $"c{i}", 3)]);
            }

            log.Append([new HardState(4, 2, 1).ToRecord(2)]);
            log.Truncate(2, 11);
            log.Append([Journal.Entry(11, "b11 anew", 2, term: 4)]);
        }

        using var again = Journal.Open(disk);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"a{i}"), Journal.Texts(again, 1));
        Assert.Equal(Enumerable.Range(1, 10).Select(i => $"b{i}").Append("b11 anew"), Journal.Texts(again, 2));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"c{i}"), Journal.Texts(again, 3));
        Assert.Equal(new HardState(4, 2, 1), again.Read(2, static g => g.HardState));
        Assert.Equal(4UL, again.Read(2, static g => g.TermAt(11)));
        Assert.Equal(default, again.Read(1, static g => g.HardState));
    }

    [Fact]
    public void A_truncation_opens_a_new_segment()
    {
        var disk = new SectorDisk();
        using var log = Journal.Open(disk);
        log.Append([Journal.Entry(1), Journal.Entry(2)]);
        log.Truncate(1, 2);
        Assert.Equal(2, log.SegmentCount);
        log.Append([Journal.Entry(2, "instead")]);
        Assert.Equal(["command 1", "instead"], Journal.Texts(log));
    }

    [Fact]
    public void A_restart_opens_a_new_segment()
    {
        var disk = Journal.Killed(2);
        Assert.Equal([FileNames.Segment(1)], disk.List());
        Journal.Open(disk).Dispose();
        Assert.Equal([FileNames.Segment(1), FileNames.Segment(2)], disk.List());
    }

    [Fact]
    public void A_truncation_takes_back_a_configuration()
    {
        var disk = new SectorDisk();
        using var log = Journal.Open(disk);
        log.Append([LogRecord.Configuration(1, 1, 1, new byte[3]), Journal.Entry(2), LogRecord.Configuration(1, 3, 1, new byte[3])]);
        Assert.Equal(3UL, log.Read(1, static g => g.ConfigurationIndex));
        log.Truncate(1, 2);
        Assert.Equal(1UL, log.Read(1, static g => g.ConfigurationIndex));
    }

    [Fact]
    public void A_snapshot_removes_the_segments_that_no_group_needs()
    {
        var disk = new SectorDisk();
        var log = Journal.Open(disk, keepEntries: 10, segmentSizeBytes: 8192);
        for (ulong i = 1; i <= 400; i++)
        {
            log.Append([Journal.Entry(i, group: 1)]);
        }

        log.Append([Journal.Entry(1, group: 2)]);
        var before = log.SegmentCount;
        Snapshot(disk, log, 1, 300);
        var after = log.SegmentCount;
        Assert.InRange(after, 2, before - 2);
        Assert.InRange(log.Read(1, static g => g.FirstIndex), 2UL, 291UL);
        Assert.Equal(["command 400"], log.ReadEntries(1, 400, 1).Select(e => System.Text.Encoding.ASCII.GetString(e.Payload.Span)));
        log.Dispose();

        using var again = Journal.Open(disk, keepEntries: 10, segmentSizeBytes: 8192);
        Assert.Equal((300UL, 1UL, 400UL), again.Read(1, static g => (g.SnapshotIndex, g.SnapshotTerm, g.LastIndex)));
        Assert.Equal(["command 1"], Journal.Texts(again, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => again.ReadEntries(1, 1, 1));
    }

    [Fact]
    public void A_group_without_a_snapshot_keeps_its_entries()
    {
        var disk = new SectorDisk();
        using var log = Journal.Open(disk, segmentSizeBytes: 8192);
        log.Append([Journal.Entry(1, group: 2)]);
        for (ulong i = 1; i <= 200; i++)
        {
            log.Append([Journal.Entry(i)]);
        }

        Snapshot(disk, log, 1, 200);
        Assert.Equal(["command 1"], Journal.Texts(log, 2));
    }

    [Fact]
    public void A_snapshot_from_a_leader_that_is_ahead_stands_for_the_whole_log()
    {
        var disk = new SectorDisk();
        var log = Journal.Open(disk);
        log.Append([Journal.Entry(1), Journal.Entry(2)]);
        Snapshot(disk, log, 1, 50);
        log.Append([Journal.Entry(51)]);
        log.Dispose();
        using var again = Journal.Open(disk);
        Assert.Equal(["command 51"], Journal.Texts(again));
    }

    [Fact]
    public void A_snapshot_that_the_log_names_and_that_is_gone_is_refused()
    {
        var disk = new SectorDisk();
        using (var log = Journal.Open(disk))
        {
            log.Append([Journal.Entry(1), Journal.Entry(2)]);
            Snapshot(disk, log, 1, 2);
        }

        disk.Delete(FileNames.Snapshot(1, 2));
        Assert.EndsWith(FileNames.Snapshot(1, 2), Assert.Throws<LogCorruptException>(() => Journal.Open(disk)).File, StringComparison.Ordinal);
    }

    [Fact]
    public void A_spoiled_or_shortened_snapshot_is_refused_naming_file_and_offset()
    {
        var disk = new SectorDisk();
        using (var log = Journal.Open(disk))
        {
            log.Append([Journal.Entry(1), Journal.Entry(2)]);
            Snapshot(disk, log, 1, 2, new byte[600_000]);
        }

        var name = FileNames.Snapshot(1, 2);
        var length = disk.Content(name).Length;
        foreach (var change in new Func<byte[], byte[]>[]
        {
            b => b[..^1], b => b[..(length / 2)], b => b[..4096], b => b[..10],
            b => Flipped(b, 5), b => Flipped(b, 4096 + 40), b => Flipped(b, length / 2), b => Flipped(b, length - 30),
        })
        {
            var spoiled = disk.Copy();
            spoiled.Spoil(name, change);
            var refused = Assert.Throws<LogCorruptException>(() =>
            {
                using var log = Journal.Open(spoiled);
                using var reader = SnapshotReader.Open(spoiled, TestKeys.Options().Keys, 1, 2);
                reader.CopyTo(Stream.Null);
            });
            Assert.EndsWith(name, refused.File, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_full_disk_refuses_and_recovers_when_there_is_room()
    {
        var disk = new SectorDisk();
        using var log = Journal.Open(disk, segmentSizeBytes: 8192);
        disk.IsFull = true;
        ulong next = 1;
        LogFullException? refused = null;
        while (refused is null)
        {
            try
            {
                log.Append([Journal.Entry(next)]);
                next++;
            }
            catch (LogFullException e)
            {
                refused = e;
            }
        }

        Assert.Contains("free space", refused.Message, StringComparison.Ordinal);
        Assert.Throws<LogFullException>(() => log.Append([Journal.Entry(next)]));
        disk.IsFull = false;
        log.Append([Journal.Entry(next)]);
        Assert.Equal(Journal.Commands((int)next), Journal.Texts(log));
    }

    [Fact]
    public void Records_that_do_not_follow_are_refused_before_anything_is_written()
    {
        using var log = Journal.Open(new SectorDisk());
        Assert.NotNull(log.Check([Journal.Entry(2)], []));
        Assert.NotNull(log.Check([Journal.Entry(1), Journal.Entry(3)], []));
        Assert.NotNull(log.Check([LogRecord.Command(1, 1, 1, new byte[LogFormat.MaxPayloadSizeBytes + 1])], []));
        Assert.Null(log.Check([Journal.Entry(1), Journal.Entry(1, group: 2), Journal.Entry(2)], []));
    }

    [Fact]
    public void A_record_larger_than_a_segment_gets_a_larger_one()
    {
        var disk = new SectorDisk();
        using (var log = Journal.Open(disk, segmentSizeBytes: 8192))
        {
            log.Append([LogRecord.Command(1, 1, 1, new byte[LogFormat.MaxPayloadSizeBytes])]);
            log.Append([Journal.Entry(2)]);
        }

        using var again = Journal.Open(disk, segmentSizeBytes: 8192);
        Assert.Equal(2UL, again.Read(1, static g => g.LastIndex));
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        bytes[at] ^= 16;
        return bytes;
    }

    private static void Snapshot(SectorDisk disk, LogEngine log, ulong group, ulong index, byte[]? content = null)
    {
        using (var file = SnapshotWriter.Create(disk, TestKeys.Options(), group, index, 1, 0, default))
        {
            file.Write(content ?? new byte[100]);
            file.Commit();
        }

        log.NoteSnapshot(group, index, 1);
    }
}
