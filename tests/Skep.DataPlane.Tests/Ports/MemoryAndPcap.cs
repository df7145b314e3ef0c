using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Ports;

namespace Skep.DataPlane.Tests.Ports;

public sealed class MemoryAndPcap
{
    [Fact]
    public void A_memory_port_hands_on_frames_in_order_and_gets_its_buffers_back()
    {
        using var pool = new PacketPool(4);
        using var port = new MemoryPort("m", Frames.Us, pool, slots: 8);
        for (byte i = 0; i < 8; i++)
        {
            Assert.True(port.Inject([i, i]));
        }
        Assert.False(port.Inject([9]));
        var burst = new Packet[32];
        Assert.Equal(4, port.Receive(burst));
        Assert.Equal(0, pool.Available);
        Assert.Equal(4, port.Send(burst.AsSpan(0, 4)));
        Assert.Equal(4, pool.Available);
        Assert.Equal([0, 0], port.Take());
        Assert.Equal(4, port.Receive(burst));
        port.Return(burst.AsSpan(0, 4));
        Assert.Equal(4, pool.Available);
        Assert.Equal([1, 1], port.Take());
        Assert.Equal((8, 4), (port.Counters.Received, port.Counters.Sent));
    }

    [Fact]
    public void A_full_ring_takes_no_more_than_it_holds()
    {
        using var pool = new PacketPool(8);
        using var port = new MemoryPort("m", Frames.Us, pool, slots: 2);
        var burst = new Packet[4];
        for (int i = 0; i < burst.Length; i++)
        {
            Assert.True(pool.TryCopy([(byte)i], out burst[i]));
        }
        Assert.Equal(2, port.Send(burst));
        Assert.Equal(6, pool.Available);
        port.Return(burst.AsSpan(2));
        Assert.Equal(8, pool.Available);
    }

    [Fact]
    public void A_buffer_given_back_twice_is_an_error_at_once()
    {
        using var pool = new PacketPool(1);
        Assert.True(pool.TryCopy([1], out Packet packet));
        pool.Return(packet);
        Assert.Throws<InvalidOperationException>(() => pool.Return(packet));
        Assert.True(pool.TryRent(2048, out _));
        Assert.False(pool.TryRent(1, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.TryRent(2049, out _));
    }

    [Fact]
    public void What_is_written_to_a_capture_is_read_from_it()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2026, 7, 1, 2, 3, 4, 567, TimeSpan.Zero));
        using var pool = new PacketPool(8);
        var file = new MemoryStream();
        using var writer = new PcapPort("out", Frames.Us, pool, null, new PcapWriter(file), time);
        var burst = new Packet[4];
        Assert.True(pool.TryCopy([1, 2, 3], out burst[0]));
        Assert.True(pool.TryCopy(new byte[1500], out burst[1]));
        Assert.Equal(2, writer.Send(burst.AsSpan(0, 2)));

        var bytes = new byte[2048];
        using var again = new PcapReader(new MemoryStream(file.ToArray()));
        Assert.True(again.TryRead(bytes, out int length, out DateTimeOffset stamp));
        Assert.Equal((3, time.GetUtcNow()), (length, stamp));

        using var reader = new PcapPort("in", Frames.Us, pool, new PcapReader(new MemoryStream(file.ToArray())), null, time);
        Assert.Equal(2, reader.Receive(burst));
        Assert.Equal([1, 2, 3], burst[0].Bytes.ToArray());
        Assert.Equal(1500, burst[1].Length);
        Assert.Equal(0, reader.Receive(burst.AsSpan(2)));
        reader.Return(burst.AsSpan(0, 2));
        Assert.Equal(8, pool.Available);
    }

    [Fact]
    public void Captures_of_the_other_byte_order_are_read_and_others_are_refused_by_name()
    {
        byte[] big = Convert.FromHexString("a1b2c3d4" + "0002" + "0004" + "00000000" + "00000000" + "00040000" + "00000001"
            + "00000001" + "00000002" + "00000005" + "00000005" + "0102030405" + "00000001" + "00");
        using var reader = new PcapReader(new MemoryStream(big));
        var bytes = new byte[3];
        Assert.True(reader.TryRead(bytes, out int length, out DateTimeOffset stamp));
        Assert.Equal((3, 1_000_002), (length, (stamp - DateTimeOffset.UnixEpoch).TotalMicroseconds));
        Assert.False(reader.TryRead(bytes, out _, out _));

        Assert.Contains("ends within", Assert.Throws<InvalidDataException>(() => new PcapReader(new MemoryStream(big[..10]))).Message, StringComparison.Ordinal);
        Assert.Contains("pcapng", Assert.Throws<InvalidDataException>(() => new PcapReader(new MemoryStream([.. Convert.FromHexString("0a0d0d0a"), .. big[4..]]))).Message, StringComparison.Ordinal);
        big[23] = 113;
        Assert.Contains("113", Assert.Throws<InvalidDataException>(() => new PcapReader(new MemoryStream(big))).Message, StringComparison.Ordinal);
        big[23] = 1;
        big[32] = 0x7F;
        using var hostile = new PcapReader(new MemoryStream(big));
        Assert.Throws<InvalidDataException>(() => hostile.TryRead(bytes, out _, out _));
    }
}
