using System.Net;
using System.Net.Sockets;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>The kernel's own TCP at both ends, ours in the middle.</summary>
public sealed class RealTcp
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_reaches_both_backends_through_the_balancer_and_they_see_its_own_address(bool v6)
    {
        Netns.RequireRoot();
        using var net = new BalancedNet();
        foreach (int n in (int[])[1, 2])
        {
            net.Serve(n, v6);
        }
        var seen = new HashSet<string>();
        // The first carries enough in both directions for the kernel to hand over large frames.
        for (int connection = 0; connection < 40 && (connection < 8 || seen.Count < 2); connection++)
        {
            byte[] sent = new byte[connection == 0 ? 4 << 20 : 20_000];
            new Random(connection).NextBytes(sent);
            (string answer, string own, bool same) = net.Ask(v6, sent);
            Assert.True(same, $"connection {connection}: the bytes came back otherwise");
            string[] words = answer.Split(' ');
            Assert.Equal(own, words[1]);
            seen.Add(words[0]);
        }
        Assert.Equal(["backend1", "backend2"], seen.Order());
        net.StopWorker();
        Assert.True(net.Wires.Sum(w => w.Counters.ChecksumsCompleted + w.Counters.Segmented) > 0, "veth left no work to the hardware, so this proved less than it should");
        Assert.Equal(0, net.Wires.Sum(w => w.Counters.OffloadRefused + w.Counters.TooLong));
    }

    [Fact]
    public void What_is_the_kernels_reaches_it_through_the_tap_device_and_comes_back()
    {
        Netns.RequireRoot();
        using var net = new BalancedNet(tap: true);
        using Socket listener = Netns.Run(net.Balancer, () => BalancedNet.Listen(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 2222)));
        Netns.Start(net.Balancer, () =>
        {
            using Socket accepted = listener.Accept();
            accepted.Send("the kernel"u8);
        });
        string heard = Netns.Run(net.Client, () =>
        {
            using Socket socket = BalancedNet.Connect(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 2222));
            byte[] bytes = new byte[64];
            return System.Text.Encoding.ASCII.GetString(bytes, 0, socket.Receive(bytes));
        });
        Assert.Equal("the kernel", heard);
        net.StopWorker();
        Assert.True(net.Tap!.Counters.Sent > 0 && net.Tap.Counters.Received > 0, "the connection went past the tap device");
    }
}
