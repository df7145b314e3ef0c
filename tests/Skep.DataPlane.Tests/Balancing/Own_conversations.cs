using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Balancing;

/// <summary>This machine speaks with its backends, too: by health checks. What they answer is its kernel's.</summary>
public sealed class Own_conversations
{
    private static readonly IpAddr Own = IpAddr.Parse("10.0.0.1");

    [Fact]
    public void What_a_backend_says_to_the_balancer_itself_goes_to_its_kernel()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        byte[] answer = Frames.Frame(Frames.Tcp(Rig.Backend4(1), 8080, Own, 40_000, TcpFlags.Syn | TcpFlags.Ack), destination: Rig.BackMac);
        Assert.Null(rig.ToFront(answer));
        Assert.Equal(1, rig.Worker.Counters.Dropped(DropReason.NoKernel));
    }

    [Fact]
    public void So_does_what_a_backend_or_a_router_says_of_it()
    {
        using var rig = new Rig(Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        byte[] asked = Frames.Tcp(Own, 40_000, Rig.Backend4(1), 8080, TcpFlags.Syn);
        byte[] refusal = Frames.Icmp(Rig.Backend4(1), Own, 3, 3, 0, asked);
        Assert.Null(rig.ToFront(Frames.Frame(refusal, Rig.MacOf(Rig.Backend4(1)), Rig.BackMac)));
        Assert.Equal((1L, 0L), (rig.Worker.Counters.Dropped(DropReason.NoKernel), rig.Worker.Counters.Dropped(DropReason.NoRoute)));
    }
}
