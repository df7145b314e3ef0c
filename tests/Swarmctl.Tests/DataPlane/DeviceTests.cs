using System.Text.Json;
using Swarmctl.Connection;

namespace Swarmctl.Tests.DataPlane;

/// <summary><c>dataplane devices</c> on a machine of files; what it does to a device is tested where it is done.</summary>
public sealed class DeviceTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("swarmctl-devices-").FullName;

    public DeviceTests()
    {
        string device = Path.Combine(root, "sys/bus/pci/devices/0000:03:00.0");
        Directory.CreateDirectory(Path.Combine(device, "net/eth1"));
        Directory.CreateDirectory(Path.Combine(root, "sys/bus/pci/drivers/vfio-pci"));
        Directory.CreateDirectory(Path.Combine(root, "proc/net"));
        foreach ((string name, string text) in ((string, string)[])[("vendor", "0x8086"), ("device", "0x1572"), ("class", "0x020000")])
        {
            File.WriteAllText(Path.Combine(device, name), text);
        }
        File.CreateSymbolicLink(Path.Combine(device, "driver"), "../../drivers/i40e");
        File.WriteAllText(Path.Combine(root, "proc/net/route"), "Iface …\neth1 00000000 0102000A 0003 0 0 0 00000000 0 0 0\n");
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task Devices_are_shown_as_a_table()
    {
        Assert.Equal(
            """
            Address       Device                 Driver  Could have it  Interface  Active         DPDK
            -------       ------                 ------  -------------  ---------  ------         ----
            0000:03:00.0  8086 1572 [8086:1572]  i40e    vfio-pci       eth1       default route  -

            """,
            (await RunAsync("dataplane", "devices")).Output);
    }

    [Fact]
    public async Task Devices_are_shown_as_JSON()
    {
        using JsonDocument json = JsonDocument.Parse((await RunAsync("dataplane", "devices", "--format", "json")).Output);
        JsonElement device = Assert.Single(json.RootElement.EnumerateArray());
        Assert.Equal("0000:03:00.0", device.GetProperty("address").GetString());
        Assert.Equal("vfio-pci", Assert.Single(device.GetProperty("possible_drivers").EnumerateArray()).GetString());
        Assert.True(device.GetProperty("default_route").GetBoolean());
    }

    [Theory]
    [InlineData("which carries the default route", "bind", "vfio-pci", "eth1")]
    [InlineData("is behind no IOMMU", "bind", "vfio-pci", "eth1", "--force")]
    [InlineData("no device '0000:04:00.0'", "bind", "vfio-pci", "0000:03:00.0", "0000:04:00.0")]
    [InlineData("bind takes a driver and devices", "bind", "vfio-pci")]
    [InlineData("unbind takes devices", "unbind")]
    [InlineData("at its kernel's driver i40e already", "unbind", "0000:03:00.0")]
    [InlineData("unknown command \"steal\"", "steal")]
    public async Task What_cannot_be_is_an_error(string words, params string[] args)
    {
        (int exitCode, string output, string error) = await RunAsync(["dataplane", "devices", .. args]);
        Assert.Equal((255, ""), (exitCode, output));
        Assert.StartsWith("Error: ", error, StringComparison.Ordinal);
        Assert.Contains(words, error, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        int exitCode = await CommandTree.RunAsync([.. args, $"--root={root}"], new Surroundings { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }
}
