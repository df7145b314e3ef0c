using CsCheck;
using Skep.Raft.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Log;

public sealed class FrameTests
{
    private static readonly FileHeader Header = new(
        FileKind.Segment, 7, 4096, 4096, new DataKeys(TestKeys.DataKey, []).CurrentId, [.. Enumerable.Repeat((byte)9, LogFormat.SaltSizeBytes)]);

    private static readonly Gen<LogRecord> Records =
        Gen.Select(Gen.Byte, Gen.ULong, Gen.ULong, Gen.ULong, Gen.Byte.Array[0, 5000])
            .Select((type, group, index, term, payload) => new LogRecord((RecordType)type, group, index, term, payload));

    [Fact]
    public void Any_record_reads_back_as_it_was_written() =>
        Gen.Select(Records, Gen.UInt[0, 1 << 20], Gen.ULong).Sample((record, place, counter) =>
        {
            using var cipher = new FrameCipher(TestKeys.DataKey, Header);
            var offset = (long)place * LogFormat.AlignmentBytes;
            var frame = new byte[LogFormat.PaddedFrameSize(record.Payload.Length)];
            Assert.Equal(frame.Length, cipher.Write(frame, offset, offset, counter, record));
            Assert.Null(FrameHeader.Read(frame, offset, out var header));
            Assert.Null(cipher.Read(frame.AsSpan(0, header.LengthBytes), header, out var read));
            Assert.Equal(new FrameHeader(offset, offset, counter, record), header);
            Assert.Equal((record.Type, record.Group, record.Index, record.Term), (read.Type, read.Group, read.Index, read.Term));
            Assert.Equal(record.Payload.ToArray(), read.Payload.ToArray());
        });

    [Fact]
    public void Any_flipped_bit_of_a_frame_is_noticed()
    {
        using var cipher = new FrameCipher(TestKeys.DataKey, Header);
        var frame = new byte[LogFormat.PaddedFrameSize(100)];
        cipher.Write(frame, 8192, 4096, 3, LogRecord.Command(1, 2, 3, new byte[100]));
        for (var bit = 0; bit < (LogFormat.FrameOverheadBytes + 100) * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotNull(FrameHeader.Read(frame, 8192, out _));
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_change_with_a_matching_checksum_is_noticed_by_the_tag()
    {
        using var cipher = new FrameCipher(TestKeys.DataKey, Header);
        var frame = new byte[LogFormat.PaddedFrameSize(100)];
        cipher.Write(frame, 8192, 4096, 3, LogRecord.Command(1, 2, 3, new byte[100]));
        var length = LogFormat.FrameOverheadBytes + 100;
        foreach (var at in new[] { 12, 20, 24, 33, 41, 50, 60, length - 1 })
        {
            var forged = frame.ToArray();
            forged[at] ^= 1;
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(
                forged.AsSpan(FrameHeader.ChecksumOffset), FrameHeader.Checksum(forged.AsSpan(0, length)));
            Assert.Null(FrameHeader.Read(forged, 8192, out var header));
            Assert.NotNull(cipher.Read(forged.AsSpan(0, length), header, out _));
        }
    }

    [Fact]
    public void A_frame_is_not_taken_for_one_at_another_place()
    {
        using var cipher = new FrameCipher(TestKeys.DataKey, Header);
        var frame = new byte[LogFormat.PaddedFrameSize(8)];
        cipher.Write(frame, 8192, 4096, 3, LogRecord.Command(1, 2, 3, new byte[8]));
        Assert.NotNull(FrameHeader.Read(frame, 8200, out _));
    }

    [Fact]
    public void The_plain_text_is_not_in_the_file()
    {
        using var cipher = new FrameCipher(TestKeys.DataKey, Header);
        var secret = "a secret of sixteen"u8.ToArray();
        var frame = new byte[LogFormat.PaddedFrameSize(secret.Length)];
        cipher.Write(frame, 8192, 4096, 3, LogRecord.Command(1, 2, 3, secret));
        Assert.Equal(-1, frame.AsSpan().IndexOf(secret.AsSpan(0, 8)));
    }

    [Fact]
    public void The_checksum_is_crc32c() => Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
}
