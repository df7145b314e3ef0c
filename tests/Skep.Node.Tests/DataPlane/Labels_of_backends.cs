using Skep.Node.DataPlane;
using Skep.V1;

namespace Skep.Node.Tests.DataPlane;

public sealed class Labels_of_backends
{
    [Theory]
    [InlineData("10.0.0.2", "10.0.0.2:80")]
    [InlineData("2001:db8::2", "[2001:db8::2]:80")]
    public void Name_address_and_port_apart(string address, string label) =>
        Assert.Equal(label, DataPlaneMetrics.At(new BackendStats { Address = address, Port = 80 }));
}
