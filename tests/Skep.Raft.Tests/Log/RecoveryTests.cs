using Skep.Raft.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Log;

public sealed class RecoveryTests
{
    private static readonly string First = FileNames.Segment(1);

    [Fact]
    public void A_killed_log_opens_with_all_it_had_and_goes_on()
    {
        var disk = Journal.Killed(5);
        using (var log = Journal.Open(disk))
        {
            Assert.Equal(Journal.Commands(5), Journal.Texts(log));
            log.Append([Journal.Entry(6)]);
        }

        using var again = Journal.Open(disk);
        Assert.Equal(Journal.Commands(6), Journal.Texts(again));
    }

    [Fact]
    public void Cut_at_any_byte_the_log_opens_with_the_records_before_the_cut()
    {
        var disk = Journal.Killed(6);
        var size = LogFormat.PaddedFrameSize("command 1".Length);
        for (var cut = LogFormat.HeaderSizeBytes; cut <= LogFormat.HeaderSizeBytes + (6 * size); cut++)
        {
            foreach (var zeroed in new[] { true, false })
            {
                var torn = disk.Copy();
                var kept = cut;
                torn.Spoil(First, bytes =>
                {
                    // Where zeros take the place of zeros, as at the end of a ciphertext now and then, nothing is lost.
                    while (zeroed && kept < bytes.Length && bytes[kept] == 0)
                    {
                        kept++;
                    }

                    bytes.AsSpan(cut).Clear();
                    return zeroed ? bytes : bytes[..cut];
                });
                using var log = Journal.Open(torn);

                // The padding of the last record may be cut without harm.
                var whole = Math.Min(6, (kept - LogFormat.HeaderSizeBytes + size - (LogFormat.FrameOverheadBytes + "command 1".Length)) / size);
                Assert.Equal(Journal.Commands(whole), Journal.Texts(log));
            }
        }
    }

    [Fact]
    public void A_bad_record_before_the_last_batch_is_refused_naming_file_and_offset()
    {
        var disk = Journal.Killed(6);
        var size = LogFormat.PaddedFrameSize("command 1".Length);
        for (var at = LogFormat.HeaderSizeBytes; at < LogFormat.HeaderSizeBytes + (5 * size); at++)
        {
            if ((at - LogFormat.HeaderSizeBytes) % size >= LogFormat.FrameOverheadBytes + "command 1".Length)
            {
                continue;
            }

            var spoiled = disk.Copy();
            spoiled.Spoil(First, Flip(at));
            var refused = Assert.Throws<LogCorruptException>(() => Journal.Open(spoiled));
            Assert.Equal(Path.Combine(disk.Folder, First), refused.File);
            Assert.Equal(at - ((at - LogFormat.HeaderSizeBytes) % size), refused.OffsetBytes);
            Assert.Contains(refused.File, refused.Message, StringComparison.Ordinal);
            Assert.Contains(refused.OffsetBytes.ToString(System.Globalization.CultureInfo.InvariantCulture), refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_stretch_of_lost_sectors_before_the_last_batch_is_refused()
    {
        var disk = Journal.Killed(30);
        disk.Spoil(First, bytes =>
        {
            bytes.AsSpan(LogFormat.HeaderSizeBytes + 512, 1024).Clear();
            return bytes;
        });
        Assert.Throws<LogCorruptException>(() => Journal.Open(disk));
    }

    [Fact]
    public void Later_records_of_the_same_unsynced_batch_do_not_make_a_tear_corruption()
    {
        var disk = new SectorDisk();
        var log = Journal.Open(disk);
        log.Append([Journal.Entry(1), Journal.Entry(2)]);
        log.Append([Journal.Entry(3), Journal.Entry(4), Journal.Entry(5)]);
        var size = LogFormat.PaddedFrameSize("command 1".Length);

        // Of the second batch, which was never acknowledged, the sectors of 3 and 5 arrived, that of 4 did not.
        disk.Spoil(First, bytes =>
        {
            bytes.AsSpan(LogFormat.HeaderSizeBytes + (3 * size), size).Clear();
            return bytes;
        });
        using var again = Journal.Open(disk);
        Assert.True(again.TornTailWasCut);
        Assert.Equal(Journal.Commands(3), Journal.Texts(again));
    }

    [Fact]
    public void After_an_orderly_close_any_flipped_bit_is_refused_or_harmless()
    {
        var disk = Journal.Closed(4);
        foreach (var name in disk.List())
        {
            for (var at = 0; at < disk.Content(name).Length; at++)
            {
                var spoiled = disk.Copy();
                spoiled.Spoil(name, Flip(at));
                try
                {
                    using var log = Journal.Open(spoiled);
                    Assert.Equal(Journal.Commands(4), Journal.Texts(log));
                }
                catch (LogCorruptException e)
                {
                    Assert.Equal(Path.Combine(disk.Folder, name), e.File);
                }
            }
        }
    }

    [Fact]
    public void A_missing_segment_is_refused_by_name()
    {
        var disk = Journal.Closed(4);
        Journal.Open(disk).Dispose();
        var missing = disk.Copy();
        missing.Delete(FileNames.Segment(2));
        Assert.EndsWith(FileNames.Segment(2), Assert.Throws<LogCorruptException>(() => Journal.Open(missing)).File, StringComparison.Ordinal);
        missing = disk.Copy();
        missing.Delete(FileNames.Segment(1));
        Assert.Contains("missing", Assert.Throws<LogCorruptException>(() => Journal.Open(missing)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_under_another_files_name_is_refused()
    {
        var disk = Journal.Closed(4);
        var other = disk.Content(FileNames.Segment(1));
        disk.Spoil(FileNames.Segment(2), _ => other);
        Assert.Contains("renamed", Assert.Throws<LogCorruptException>(() => Journal.Open(disk)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_data_key_is_told_from_corruption() =>
        Assert.Throws<WrongDataKeyException>(() => Journal.Open(Journal.Closed(2), key: TestKeys.OtherDataKey));

    [Fact]
    public void After_a_rotation_the_older_data_key_still_reads_the_older_files()
    {
        var disk = Journal.Closed(2);
        var both = TestKeys.Options() with { };
        both = new LogEngineOptions(new DataKeys(TestKeys.OtherDataKey, [TestKeys.DataKey])) { SegmentSizeBytes = both.SegmentSizeBytes };
        using (var log = LogEngine.Open(disk, both))
        {
            log.Append([Journal.Entry(3)]);
        }

        using var again = LogEngine.Open(disk, both);
        Assert.Equal(Journal.Commands(3), Journal.Texts(again));
    }

    [Fact]
    public void Another_format_version_is_refused_by_number()
    {
        var disk = Journal.Closed(2);
        disk.Spoil(First, bytes =>
        {
            bytes[8] = 2;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4092), Crc32C.Compute(bytes.AsSpan(0, 4092)));
            return bytes;
        });
        Assert.Equal(2u, Assert.Throws<LogVersionException>(() => Journal.Open(disk)).FoundVersion);
    }

    [Fact]
    public void What_a_failed_sync_left_in_the_cache_is_written_anew_before_it_counts()
    {
        var disk = Journal.Killed(2);
        var log = Journal.Open(disk);
        disk.FailNextSync = true;
        Assert.Throws<LogFailedException>(() => log.Append([Journal.Entry(3)]));
        Assert.Throws<LogFailedException>(() => log.Append([Journal.Entry(3)]));

        // The next process finds entry 3 in the cache and goes by it; then the power goes.
        var next = Journal.Open(disk);
        Assert.Equal(Journal.Commands(3), Journal.Texts(next));
        using var last = Journal.Open(disk.AfterPowerLoss(new Random(1)));
        Assert.Equal(Journal.Commands(3), Journal.Texts(last));
    }

    private static Func<byte[], byte[]> Flip(int at) => bytes =>
    {
        bytes[at] ^= (byte)(1 << (at % 8));
        return bytes;
    };
}
