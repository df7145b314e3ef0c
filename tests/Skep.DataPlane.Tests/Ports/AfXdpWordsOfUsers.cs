using Skep.DataPlane.Engine;
using Skep.DataPlane.Ports.AfXdp;

namespace Skep.DataPlane.Tests.Ports;

public sealed class AfXdpWordsOfUsers
{
    [Fact]
    public void A_port_is_named_with_its_queue_and_ways()
    {
        PortSpec spec = PortSpec.Parse("afxdp:eth1,address=192.0.2.1/24,queue=3,zero-copy,generic,receive=1024,send=64");
        Assert.Equal(new AfXdpOptions { Queue = 3, ZeroCopy = true, Generic = true, ReceiveFrames = 1024, SendFrames = 64 }, AfXdpWords.Read(spec));
        Assert.True(AfXdpWords.WantsPages(spec));
        Assert.Equal(new AfXdpOptions(), AfXdpWords.Read(PortSpec.Parse("afxdp:eth1")));
        Assert.False(AfXdpWords.WantsPages(PortSpec.Parse("afxdp:eth1")));
    }

    [Theory]
    [InlineData("afxdp:eth1,queue=x", "queue=x is no number")]
    [InlineData("afxdp:eth1,queues=1", "'queues' is no word of it: expected")]
    public void What_is_no_word_is_refused_by_name(string text, string words) =>
        Assert.Contains(words, Assert.Throws<IOException>(() => AfXdpWords.Read(PortSpec.Parse(text))).Message, StringComparison.Ordinal);
}
