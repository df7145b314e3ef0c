using System.Buffers.Binary;
using CsCheck;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Packets;

public sealed class Checksums
{
    [Fact]
    public void The_vectorised_checksum_is_the_naive_one() =>
        Gen.Byte.Array[0, 3000].Sample(data => Assert.Equal(NaiveChecksum.Of(data), Checksum.Of(data)), iter: 2000);

    [Fact]
    public void Bytes_of_ones_lose_no_carry()
    {
        byte[] ones = new byte[65_535];
        ones.AsSpan().Fill(0xFF);
        for (int length = 0; length < ones.Length; length += 251)
        {
            Assert.Equal(NaiveChecksum.Of(ones.AsSpan(0, length)), Checksum.Of(ones.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_sum_of_even_pieces_is_the_sum_of_the_whole() =>
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[0, 150]).Sample((data, cut) =>
        {
            int at = Math.Min(cut * 2, data.Length & ~1);
            Assert.Equal(NaiveChecksum.Of(data), Checksum.Finish(Checksum.Add(Checksum.Add(0, data.AsSpan(0, at)), data.AsSpan(at))));
        });

    [Fact]
    public void An_incremental_change_is_the_checksum_made_anew() =>
        Gen.Select(Gen.Byte.Array[2, 200], Gen.Int[0, 90], Gen.UShort, Gen.UInt).Sample((data, where, word, words) =>
        {
            // A header with its checksum in the first two bytes, as full recomputation would make it.
            data[0] = data[1] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(data, NaiveChecksum.Of(data));
            var delta = new ChecksumDelta();
            int at = 2 + where * 2;
            if (at + 2 <= data.Length)
            {
                delta.Replace16(BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(at)), word);
                BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(at), word);
            }
            if (at + 6 <= data.Length)
            {
                delta.Replace32(BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(at + 2)), words);
                BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(at + 2), words);
            }
            ushort updated = delta.Apply(BinaryPrimitives.ReadUInt16BigEndian(data));
            data[0] = data[1] = 0;
            Assert.Equal(NaiveChecksum.Of(data), updated);
        }, iter: 5000);

    [Fact]
    public void Changing_an_address_of_either_family_keeps_a_right_checksum_right() =>
        Gen.Select(Gen.ULong, Gen.ULong, Gen.ULong, Gen.ULong, Gen.Bool).Sample((a, b, c, d, v4) =>
        {
            (IpAddr before, IpAddr after) = v4 ? (IpAddr.V4((uint)a), IpAddr.V4((uint)b)) : (new IpAddr(a, b), new IpAddr(c, d));
            byte[] data = new byte[2 + before.SizeBytes + 6];
            data[^1] = 7;
            before.Write(data.AsSpan(2));
            ushort checksum = NaiveChecksum.Of(data);
            var delta = new ChecksumDelta();
            delta.Replace(before, after);
            after.Write(data.AsSpan(2));
            Assert.Equal(NaiveChecksum.Of(data), delta.Apply(checksum));
        });

    [Fact]
    public void The_short_way_for_IPv4_headers_agrees_with_the_long_one() =>
        Gen.Select(Gen.Byte.Array[20], Gen.Int[0, 3]).Sample((header, kind) =>
        {
            if (kind > 0)
            {
                header[10] = header[11] = 0;
                BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), NaiveChecksum.Of(header));
            }
            header[5] += (byte)(kind == 2 ? 1 : 0);
            Assert.Equal(NaiveChecksum.Of(header) == 0, Checksum.IsRight(header));
        });

    [Fact]
    public void A_wrong_checksum_is_not_mended()
    {
        var delta = new ChecksumDelta();
        delta.Replace32(0x0A000001, 0x0A000002);
        Assert.NotEqual(delta.Apply(0x1234), delta.Apply(0x1235));
    }
}
