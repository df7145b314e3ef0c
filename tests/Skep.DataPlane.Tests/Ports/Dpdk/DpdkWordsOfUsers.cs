using Skep.DataPlane.Buffers;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.Dpdk;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

public sealed class DpdkWordsOfUsers
{
    [Fact]
    public void Words_that_are_not_ours_are_the_drivers()
    {
        PortSpec tap = PortSpec.Parse("dpdk:net_tap0,address=192.0.2.1/24,iface=skep1,nohuge,descriptors=256,persist");
        Assert.Equal("net_tap0,iface=skep1,persist", DpdkWords.DeviceOf(tap));
        DpdkOptions virtualOnly = DpdkWords.Read([tap], 8192);
        Assert.Equal((false, 88, 0), (virtualOnly.HugePages, virtualOnly.MemoryMb, virtualOnly.PciDevices.Count));
        DpdkOptions cards = DpdkWords.Read([PortSpec.Parse("dpdk:0000:00:05.0"), PortSpec.Parse("dpdk:net_null0")], 8192);
        Assert.True(cards.HugePages);
        Assert.Equal(["0000:00:05.0"], cards.PciDevices);
    }

    [Fact]
    public void A_port_opens_by_its_words_and_says_which_are_wrong()
    {
        DpdkFixture.Require();
        using var pool = new MbufPool(512);
        using OpenWires port = PortDrivers.Open(PortSpec.Parse("dpdk:net_ring26,descriptors=256"), [pool]);
        Assert.Equal(("net_ring26", pool), (port.Name, Assert.Single(port.Queues).Pool));
        Assert.Contains("descriptors=many is no number", Assert.Throws<IOException>(() => PortDrivers.Open(PortSpec.Parse("dpdk:net_ring27,descriptors=many"), [pool])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_dpdk_a_port_says_why_and_others_go_on_with_a_pool_of_their_own()
    {
        PortSpec card = PortSpec.Parse("dpdk:ffff:ff:1f.7,fallback=eth1");
        IReadOnlyList<PacketPool> pools = DpdkWords.MakePools([PortSpec.Parse("afpacket:eth0")], 64, workers: 2);
        Assert.Equal([typeof(PacketPool), typeof(PacketPool)], pools.Select(static p => p.GetType()));
        Assert.StartsWith("port dpdk:ffff:ff:1f.7: ", Assert.Throws<IOException>(() => PortDrivers.Open(card, pools)).Message, StringComparison.Ordinal);
        Assert.All(pools, static p => p.Dispose());
    }
}
