using System.Net;
using System.Net.Sockets;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Workers;

/// <summary>The kernel's own TCP at both ends, ours in the middle.</summary>
public sealed class RealTcp
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_client_reaches_both_backends_through_the_balancer_and_they_see_its_own_address(bool v6, bool xdp)
    {
        Netns.RequireRoot();
        using var net = new BalancedNet(xdp: xdp);
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

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Two_workers_share_the_connections_and_hand_over_answers_that_come_to_the_wrong_one(bool v6, bool xdp)
    {
        Netns.RequireRoot();
        using var net = new BalancedNet(xdp: xdp, workers: 2);
        net.Serve(1, v6);
        net.Serve(2, v6);
        byte[] sent = new byte[50_000];
        // The kernel spreads each direction by its own hash: that neither worker has any, or that all answers come right, is not to be expected.
        for (int connection = 0; connection < 60; connection++)
        {
            Random.Shared.NextBytes(sent);
            (string answer, string own, bool same) = net.Ask(v6, sent);
            Assert.True(same, $"connection {connection}: the bytes came back otherwise");
            Assert.Equal(own, answer.Split(' ')[1]);
        }
        net.StopWorker();
        Assert.All(net.Counters, static c => Assert.True(c is { Forwarded: > 0, Returned: > 0, HandedOver: > 0, TakenOver: > 0 }, $"{c.Forwarded} forwarded, {c.Returned} returned, {c.HandedOver} handed over, {c.TakenOver} taken over"));
        Assert.Equal(0, net.Counters.Sum(static c => c.Dropped(DropReason.PeerFull) + c.Dropped(DropReason.NoRoute)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Connections_pass_again_once_a_link_that_was_down_is_up(bool xdp)
    {
        Netns.RequireRoot();
        using var net = new BalancedNet(xdp: xdp);
        net.Serve(1, v6: false);
        net.Serve(2, v6: false);
        Assert.True(net.Ask(v6: false, [1, 2, 3]).Same);
        foreach (string state in (string[])["down", "up"])
        {
            Netns.Command($"-n {net.Balancer} link set front {state}");
        }
        byte[] much = new byte[200_000];
        Random.Shared.NextBytes(much);
        Assert.True(net.Ask(v6: false, much).Same);
    }

    // The client announces what fits its own link; backends hear from the balancer that less passes the one between.
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Backends_learn_of_a_narrower_link_to_the_client(bool v6, bool xdp)
    {
        Netns.RequireRoot();
        using var net = new BalancedNet(xdp: xdp, frontMtu: 1300);
        byte[] much = new byte[500_000];
        Random.Shared.NextBytes(much);
        net.Give(v6, much);
        Assert.Equal(much, net.Take(v6));
        net.StopWorker();
        Assert.True(net.Counters[0].Dropped(DropReason.TooBig) > 0, "nothing was too big, so this proved nothing");
        Assert.True(net.Counters[0].IcmpErrors > 0, "nobody was told");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_is_the_kernels_reaches_it_through_the_tap_device_and_comes_back(int workers)
    {
        const int connections = 40;
        Netns.RequireRoot();
        using var net = new BalancedNet(tap: true, workers: workers);
        using Socket listener = Netns.Run(net.Balancer, () => BalancedNet.Listen(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 2222)));
        Netns.Start(net.Balancer, () =>
        {
            for (int i = 0; i < connections; i++)
            {
                using Socket accepted = listener.Accept();
                accepted.Send("the kernel"u8);
            }
        });
        for (int i = 0; i < connections; i++)
        {
            Assert.Equal("the kernel", Netns.Run(net.Client, Hear));
        }
        net.StopWorker();
        Assert.All(net.Taps, static t => Assert.True(t.Counters.Sent > 0 && t.Counters.Received > 0, "connections went past a queue of the tap device"));
    }

    private static string Hear()
    {
        using Socket socket = BalancedNet.Connect(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 2222));
        byte[] bytes = new byte[64];
        return System.Text.Encoding.ASCII.GetString(bytes, 0, socket.Receive(bytes));
    }
}
