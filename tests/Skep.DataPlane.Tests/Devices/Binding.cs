using Skep.DataPlane.Devices;

namespace Skep.DataPlane.Tests.Devices;

public sealed class Binding
{
    private const string Nic = "0000:03:00.0";
    private const string Default = "eth1 00000000 0102000A 0003 0 0 0 00000000 0 0 0", Route = "eth1 0002000A 00000000 0001 0 0 0 00FFFFFF 0 0 0";

    private static FakeMachine Machine(bool iommu = true) => new FakeMachine().With(Nic, net: "eth1", iommu: iommu).Loaded("vfio-pci");

    private static string Refused(Action action) => Assert.Throws<DeviceRefusedException>(action).Message;

    [Fact]
    public void A_device_is_overridden_taken_off_and_bound_in_this_order()
    {
        using FakeMachine machine = Machine();
        PciDevice now = machine.Binder.Bind(machine[Nic], "vfio-pci");
        Assert.Equal([$"{Nic}/driver_override vfio-pci", $"i40e/unbind {Nic}", $"vfio-pci/bind {Nic}"], machine.Written);
        Assert.Equal(("vfio-pci", true, 0), (now.Driver, now.IsAway, now.Interfaces.Count));
    }

    [Fact]
    public void Unbinding_gives_it_back_to_the_kernels_driver()
    {
        using FakeMachine machine = Machine();
        machine.Binder.Bind(machine[Nic], "vfio-pci");
        machine.Written.Clear();
        PciDevice now = machine.Binder.Unbind(machine[Nic]);
        Assert.Equal([$"{Nic}/driver_override ", $"vfio-pci/unbind {Nic}", $"pci/drivers_probe {Nic}"], machine.Written);
        Assert.Equal(("i40e", "eth1"), (now.Driver, Assert.Single(now.Interfaces)));
        Assert.Contains("at its kernel's driver i40e already", Refused(() => machine.Binder.Unbind(now)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_without_a_driver_is_bound_too_and_one_bound_already_is_left_alone()
    {
        using FakeMachine machine = new FakeMachine().With(Nic, driver: null).Loaded("vfio-pci");
        PciDevice now = machine.Binder.Bind(machine[Nic], "vfio-pci");
        Assert.Equal([$"{Nic}/driver_override vfio-pci", $"vfio-pci/bind {Nic}"], machine.Written);
        Assert.Equal(now, machine.Binder.Bind(now, "vfio-pci"));
        Assert.Equal(2, machine.Written.Count);
    }

    [Theory]
    [InlineData(Default, "eth1, which carries the default route: this machine may go off the network; --force")]
    [InlineData(Route, "eth1, which carries a route; --force")]
    public void The_way_to_the_network_is_not_taken_without_force(string route, string words)
    {
        using FakeMachine machine = Machine().WithRoutes(route);
        Assert.Contains(words, Refused(() => machine.Binder.Bind(machine[Nic], "vfio-pci")), StringComparison.Ordinal);
        Assert.Empty(machine.Written);
        Assert.Equal("vfio-pci", machine.Binder.Bind(machine[Nic], "vfio-pci", force: true).Driver);
    }

    [Theory]
    [InlineData("bond0", "sys/class/net/eth1/upper_bond0")]
    [InlineData("eth1.5", "sys/class/net/eth1/upper_eth1.5")]
    [InlineData("br0", "sys/class/net/eth1/upper_bond0", "sys/class/net/bond0/upper_br0")]
    public void Nor_is_what_a_bond_a_bridge_or_a_VLAN_that_carries_it_stands_on(string carrier, params string[] links)
    {
        using FakeMachine machine = Machine().WithRoutes($"{carrier} 00000000 0100000A 0003 0 0 0 00000000 0 0 0");
        foreach (string link in links)
        {
            Directory.CreateDirectory(machine.At(link));
        }
        Assert.Contains("default route", Refused(() => machine.Binder.Bind(machine[Nic], "vfio-pci")), StringComparison.Ordinal);
        Assert.Empty(machine.Written);
    }

    [Fact]
    public void If_the_kernel_refuses_the_former_driver_is_bound_again()
    {
        using FakeMachine machine = Machine();
        machine.Refuses = "vfio-pci";
        string message = Refused(() => machine.Binder.Bind(machine[Nic], "vfio-pci"));
        Assert.Contains("No such device; it is at i40e as before", message, StringComparison.Ordinal);
        Assert.Equal([$"{Nic}/driver_override ", $"i40e/bind {Nic}"], machine.Written[^2..]);
        Assert.Equal(("i40e", "eth1"), (machine[Nic].Driver, Assert.Single(machine[Nic].Interfaces)));
    }

    [Fact]
    public void Where_even_the_former_driver_does_not_take_it_back_that_is_said()
    {
        using FakeMachine machine = Machine();
        int writes = 0;
        var binder = new DeviceBinder(machine.Tree, (path, _) =>
        {
            if (Path.GetFileName(path) == "unbind")
            {
                File.Delete(machine.At($"sys/bus/pci/devices/{Nic}/driver"));
            }
            else if (++writes > 1)
            {
                throw new IOException("Input/output error");
            }
        });
        Assert.Contains("i40e did not take it back: it is at no driver", Refused(() => binder.Bind(machine[Nic], "vfio-pci")), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_root_nothing_is_changed_and_that_is_the_reason_given()
    {
        using FakeMachine machine = Machine();
        machine.IsReadOnly = true;
        Assert.Contains("it takes root (it is at i40e as before)", Refused(() => machine.Binder.Bind(machine[Nic], "vfio-pci")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_driver_that_is_not_loaded_is_named_with_the_way_to_load_it()
    {
        using FakeMachine machine = new FakeMachine().With(Nic);
        Assert.Contains("kernel 6.12.0 has no module of that name", Refused(() => machine.Binder.Bind(machine[Nic], "vfio-pci")), StringComparison.Ordinal);
        machine.Put("lib/modules/6.12.0/modules.dep", "kernel/drivers/vfio/pci/vfio-pci.ko.zst: a b\n");
        Assert.Contains("vfio-pci is not loaded: modprobe vfio-pci", Refused(() => machine.Binder.Bind(machine[Nic], "vfio-pci")), StringComparison.Ordinal);
        Assert.Empty(machine.Written);
    }

    [Fact]
    public void Without_an_IOMMU_vfio_takes_the_unsafe_mode_to_be_switched_on()
    {
        using FakeMachine machine = Machine(iommu: false);
        const string parameter = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
        machine.Put(parameter, "N\n");
        Assert.Contains($"echo 1 > /{parameter}", Refused(() => machine.Binder.Bind(machine[Nic], "vfio-pci")), StringComparison.Ordinal);
        machine.Put(parameter, "Y\n");
        Assert.Equal("vfio-pci", machine.Binder.Bind(machine[Nic], "vfio-pci").Driver);
    }

    [Fact]
    public void What_shares_the_IOMMU_group_is_told_unless_it_is_a_bridge_or_away_already()
    {
        using FakeMachine machine = Machine().With("0000:03:00.1", net: "eth2").With("0000:03:00.2", driver: "vfio-pci").With("0000:03:00.3", driver: null).With("0000:02:00.0", driver: "pcieport");
        foreach (string address in (string[])[Nic, "0000:03:00.1", "0000:03:00.2", "0000:03:00.3", "0000:02:00.0"])
        {
            Directory.CreateDirectory(machine.At($"sys/kernel/iommu_groups/12/devices/{address}"));
        }
        Assert.Equal(["0000:03:00.1 (i40e)"], machine.Tree.OthersInGroup(machine[Nic]));
        Assert.Empty(machine.Tree.OthersInGroup(machine[Nic] with { IommuGroup = null }));
    }

    [Theory]
    [InlineData("0000:03:00.0")]
    [InlineData("03:00.0")]
    [InlineData("eth1")]
    public void A_device_is_found_by_address_or_interface(string word)
    {
        using FakeMachine machine = Machine();
        Assert.Equal(Nic, machine.Binder.Find(word).Address);
    }

    [Theory]
    [InlineData("0000:99:00.0")]
    [InlineData("../devices")]
    [InlineData("")]
    public void What_is_no_device_is_refused_with_an_example(string word)
    {
        using FakeMachine machine = Machine();
        Assert.Contains($"no device '{word}': expected an address as {Nic}", Refused(() => machine.Binder.Find(word)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../devices")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("a b")]
    public void What_is_no_drivers_name_never_becomes_a_path(string driver)
    {
        using FakeMachine machine = Machine();
        Assert.Contains("is no driver's name", Refused(() => machine.Binder.Bind(machine[Nic], driver)), StringComparison.Ordinal);
    }
}
