using Skep.DataPlane.Engine;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Tests.Engine;

public sealed class Ports_by_name
{
    [Fact]
    public void A_port_is_a_driver_a_device_and_words()
    {
        PortSpec port = PortSpec.Parse("afpacket:eth1,address=192.0.2.1/24,address=2001:db8::1/64,gateway=192.0.2.254,gateway=2001:db8::ff,tap=skep0,queue=3");
        Assert.Equal(("afpacket", "eth1", "skep0", null), (port.Driver, port.Device, port.Tap, port.Fallback));
        Assert.Equal(["192.0.2.1/24", "2001:db8::1/64"], port.Interface.Addresses.Select(a => $"{a.Address}/{a.PrefixBits}"));
        Assert.Equal((IpAddr.Parse("192.0.2.254"), IpAddr.Parse("2001:db8::ff")), (port.Interface.GatewayV4, port.Interface.GatewayV6));
        Assert.Equal("3", port.Options["queue"]);
    }

    [Fact]
    public void A_device_may_have_colons_in_its_name() => Assert.Equal("0000:00:05.0", PortSpec.Parse("dpdk:0000:00:05.0").Device);

    [Theory]
    [InlineData("eth1", "expected a driver (afpacket, afxdp, dpdk), a colon and a device")]
    [InlineData("netmap:eth1", "expected a driver")]
    [InlineData("afpacket:", "expected a driver")]
    [InlineData("afpacket:eth1,address=192.0.2.1", "no address with its link")]
    [InlineData("afpacket:eth1,gateway=nowhere", "no IP address")]
    [InlineData("afpacket:eth1,,tap=a", "nothing between two commas")]
    [InlineData("afpacket:eth1,tap=a-name-that-is-too-long", "no name of a device")]
    [InlineData("afpacket:eth1,tap=", "no name of a device")]
    public void What_is_none_is_refused_with_what_was_expected(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => PortSpec.Parse(text)).Message, StringComparison.Ordinal);
}
