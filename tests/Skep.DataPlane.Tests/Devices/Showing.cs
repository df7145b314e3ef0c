using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Skep.DataPlane.Devices;

namespace Skep.DataPlane.Tests.Devices;

public sealed partial class Showing
{
    private const string Nic = "0000:03:00.0";

    [Fact]
    public void A_network_device_is_shown_with_its_names_drivers_interface_and_place()
    {
        using FakeMachine machine = new FakeMachine().With(Nic, net: "eth1").With("0000:00:1f.2", "8086:a102", "0x010601", "ahci").Loaded("vfio-pci");
        machine.Put("usr/share/misc/pci.ids", "# list\n8086  Intel Corporation\n\t1572  Ethernet Controller X710\n\t\t8086 0001  a card\n\t1573  Another\nC 02  Network controller\n");
        machine.Put("lib/modules/6.12.0/modules.alias", "alias pci:v00008086d00001572sv*sd*bc*sc*i* i40e\nalias pci:v00008086d00001572sv*sd*bc*sc*i* other\nalias usb:v1 no\n");
        machine.Put("lib/modules/6.12.0/modules.dep", "kernel/drivers/uio/uio_pci_generic.ko.xz: kernel/drivers/uio/uio.ko.xz\n");
        PciDevice nic = Assert.Single(machine.Tree.List());
        Assert.Equal((Nic, "Intel Corporation", "Ethernet Controller X710", "i40e", "12", 1), (nic.Address, nic.Vendor, nic.Model, nic.Driver, nic.IommuGroup, nic.NumaNode));
        Assert.Equal(["other", "uio_pci_generic", "vfio-pci"], nic.PossibleDrivers);
        Assert.Equal(["eth1"], nic.Interfaces);
        Assert.False(nic.IsActive || nic.CarriesDefaultRoute || nic.IsAway);
    }

    [Fact]
    public void Numbers_stand_where_no_list_of_names_is_installed()
    {
        using FakeMachine machine = new FakeMachine().With(Nic, driver: null, iommu: false);
        Assert.Equal(("8086", "1572", null, null), (machine[Nic].Vendor, machine[Nic].Model, machine[Nic].Driver, machine[Nic].IommuGroup));
    }

    [Theory]
    [InlineData("eth1 0002000A 00000000 0001 0 0 0 00FFFFFF 0 0 0", true, false)]
    [InlineData("eth1 00000000 0102000A 0003 0 0 0 00000000 0 0 0", true, true)]
    [InlineData("eth0 00000000 0102000A 0003 0 0 0 00000000 0 0 0", false, false)]
    public void A_device_is_active_where_a_route_goes_by_it(string route, bool active, bool isDefault)
    {
        using FakeMachine machine = new FakeMachine().With(Nic, net: "eth1").WithRoutes(route);
        Assert.Equal((active, isDefault), (machine[Nic].IsActive, machine[Nic].CarriesDefaultRoute));
    }

    [Theory]
    [InlineData("fe800000000000000000000000000000 40", "00000001", false, false)]
    [InlineData("ff000000000000000000000000000000 08", "00000001", false, false)]
    [InlineData("20010db8000000000000000000000000 40", "00000001", true, false)]
    [InlineData("20010db8000000000000000000000001 80", "80200001", false, false)]
    [InlineData("00000000000000000000000000000000 00", "00000003", true, true)]
    [InlineData("00000000000000000000000000000000 00", "00200200", false, false)]
    public void Routes_of_IPv6_count_but_for_those_that_every_interface_has(string destination, string flags, bool active, bool isDefault)
    {
        using FakeMachine machine = new FakeMachine().With(Nic, net: "eth1");
        machine.Put("proc/net/ipv6_route", $"{destination} {new string('0', 32)} 00 {new string('0', 32)} 00000400 00000001 00000000 {flags} eth1\n");
        Assert.Equal((active, isDefault), (machine[Nic].IsActive, machine[Nic].CarriesDefaultRoute));
    }

    [Fact]
    public void A_virtio_interface_is_found_behind_the_device_between()
    {
        using FakeMachine machine = new FakeMachine().With(Nic, "1af4:1041", driver: "virtio-pci");
        Directory.CreateDirectory(machine.At($"sys/bus/pci/devices/{Nic}/virtio2/net/ens3"));
        Assert.Equal(["ens3"], machine[Nic].Interfaces);
    }

    [Fact]
    public void The_tables_of_installed_DPDK_drivers_say_what_they_support()
    {
        using FakeMachine machine = new FakeMachine().With(Nic).With("0000:04:00.0", "1234:0001", "0x120000", null).With("0000:05:00.0", "1234:0002", "0x120000", null);
        const string folder = "usr/lib/x86_64-linux-gnu/dpdk/pmds-24.1";
        machine.Put($"{folder}/librte_net_x.so.24.1", "\u007fELF\0\0PMD_INFO_STRING= {\"name\": \"net_x\", \"pci_ids\": [[32902, 5490, 65535, 65535]]}\0junk"
            + "PMD_INFO_STRING= {\"name\": \"net_x_vf\", \"pci_ids\": [[32902, 5490, 1, 1]]}\0PMD_INFO_STRING= {broken\0PMD_INFO_STRING= {\"pci_ids\": 5, \"name\": 3}\0PMD_INFO_STRING= ");
        machine.Put($"{folder}/librte_baseband_y.so.24.1", "PMD_INFO_STRING= {\"name\": \"baseband_y\", \"pci_ids\": [[4660, 1, 65535, 65535]]}\0");
        File.CreateSymbolicLink(machine.At($"{folder}/librte_net_x.so"), "librte_net_x.so.24.1");
        // What is no network controller is shown where a driver of DPDK supports it, and else not.
        Assert.Equal([(Nic, "net_x"), ("0000:04:00.0", "baseband_y")], machine.Tree.List().Select(d => (d.Address, string.Join(',', d.PollModeDrivers))));
    }

    [Fact]
    public void No_library_however_broken_makes_the_reader_throw()
    {
        var random = new Random(3);
        byte[] good = Encoding.ASCII.GetBytes("PMD_INFO_STRING= {\"name\": \"net_x\", \"pci_ids\": [[32902, 5490, 65535, 65535]]}\0");
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = [.. good, .. good];
            for (int i = random.Next(8); i >= 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            Assert.InRange(PollModeDriver.Read(bytes[..random.Next(bytes.Length)]).Count(), 0, 2);
        }
    }

    [Fact]
    public void A_machine_without_a_PCI_bus_has_none() => Assert.Empty(new DeviceTree("/nowhere").List());

    [Fact]
    public async Task This_machines_devices_are_those_that_dpdk_devbind_shows()
    {
        const string devbind = "/usr/bin/dpdk-devbind.py";
        Assert.SkipUnless(File.Exists(devbind), "dpdk-devbind.py is not installed");
        using Process process = Process.Start(new ProcessStartInfo(devbind, ["--status-dev", "net"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipUnless(process.ExitCode == 0, $"dpdk-devbind.py does not work here: {await errors}");
        var theirs = Line().Matches(output).Select(m => (m.Groups["address"].Value, m.Groups["if"].Value, m.Groups["driver"].Value, m.Groups["active"].Success));
        var ours = new DeviceTree().List().Where(d => d.Id.IsNetwork).Select(d => (d.Address, string.Join(',', d.Interfaces), d.Driver ?? "", d.IsActive));
        Assert.Equal(theirs.Order(), ours.Order());
    }

    [GeneratedRegex(@"^(?<address>[0-9a-f:.]{12}) '.*'(?: if=(?<if>\S+))?(?: drv=(?<driver>\S+))? .*?(?<active>\*Active\*)?\s*$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
