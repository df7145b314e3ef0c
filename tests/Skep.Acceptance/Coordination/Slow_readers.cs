using System.Buffers.Binary;
using System.Net.Sockets;
using Skep.Acceptance.Harness;
using Skep.Coordination.Client;
using Skep.Jute;

namespace Skep.Acceptance.Coordination;

/// <summary>A client that asks for much and reads it later.</summary>
public sealed class Slow_readers
{
    private const int Large = 1_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Are_served_on_once_they_have_read_and_cost_no_more_than_is_on_its_way_to_them()
    {
        await using SkepServers servers = await SkepServers.StartAsync(1);
        string server = servers.Connect;
        await using CoordinationClient writer = await CoordinationClient.ConnectAsync(server, TestContext.Current.CancellationToken);
        await writer.CreateAsync("/large", new byte[Large]);

        using var patience = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        string[] parts = server.Split(':');
        await client.ConnectAsync(parts[0], int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), patience.Token);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(JuteFrame.Make(static o => JuteFrame.Put(o, new ConnectRequest(0, 0, 30_000, 0, new byte[16], false))), patience.Token);
        await ReadAsync(stream, patience.Token);

        // One by one, so that the server is at the next while nobody takes the last; then many at once.
        const int Single = 30, AtOnce = 300;
        for (int i = 1; i <= Single; i++)
        {
            await stream.WriteAsync(Get(i), patience.Token);
            await writer.SyncAsync("/large");
        }
        await stream.WriteAsync(Enumerable.Range(Single + 1, AtOnce).SelectMany(Get).ToArray(), patience.Token);
        await writer.SyncAsync("/large");

        for (int i = 1; i <= Single + AtOnce; i++)
        {
            Assert.Equal(i, await ReadAsync(stream, patience.Token));
        }
        await stream.WriteAsync(Get(1_000), patience.Token);
        Assert.Equal(1_000, await ReadAsync(stream, patience.Token));
        Assert.InRange(Posix.PeakMiB(servers.Daemons[0].Pid), 0, 250);
    }

    private static byte[] Get(int xid) => JuteFrame.Make(output =>
    {
        JuteFrame.Put(output, new RequestHeader(xid, (int)OpCode.GetData));
        JuteFrame.Put(output, new PathWatchRequest("/large", false));
    });

    // Gives back what the frame begins with: the number of the request that it answers.
    private static async Task<int> ReadAsync(NetworkStream stream, CancellationToken ct)
    {
        byte[] number = new byte[4];
        await stream.ReadExactlyAsync(number, ct);
        byte[] frame = new byte[BinaryPrimitives.ReadInt32BigEndian(number)];
        await stream.ReadExactlyAsync(frame, ct);
        return BinaryPrimitives.ReadInt32BigEndian(frame);
    }
}
