using Skep.DataPlane.Ports.Dpdk;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

/// <summary>What people are told when DPDK cannot be had.</summary>
public sealed class DpdkStarting : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-dpdk").FullName;

    private string Make(string path, string content)
    {
        string full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        return full;
    }

    [Fact]
    public void A_machine_without_dpdk_is_told_what_to_install()
    {
        IOException e = Assert.Throws<IOException>(() => DpdkLibraries.Require("librte_skep.so.23", [_folder]));
        Assert.Equal("librte_skep.so.23 cannot be loaded: expected DPDK 22.11 (binary interface 23), found no librte_skep.so at all; "
            + "'apt-get install dpdk librte-meta-net librte-meta-mempool' installs it on Debian 12", e.Message);
    }

    [Fact]
    public void A_machine_with_another_dpdk_is_told_which()
    {
        string other = Make("librte_skep.so.24", "");
        IOException e = Assert.Throws<IOException>(() => DpdkLibraries.Require("librte_skep.so.23", [_folder]));
        Assert.Contains($"expected DPDK 22.11 (binary interface 23), found {other};", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_huge_pages_are_told_with_how_many_there_are_and_how_to_get_more()
    {
        Make("hugepages-2048kB/nr_hugepages", "10\n");
        Make("hugepages-2048kB/free_hugepages", "4\n");
        IOException e = Assert.Throws<IOException>(() => HugePages.Require(256, _folder));
        Assert.Contains("wants 256 MiB on huge pages, and free are 4 of 10 pages of 2048 kB", e.Message, StringComparison.Ordinal);
        Assert.Contains("'echo 134 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages'", e.Message, StringComparison.Ordinal);
        Assert.Contains("'nohuge' behind the device", e.Message, StringComparison.Ordinal);
        HugePages.Require(8, _folder);
        Make("hugepages-1048576kB/nr_hugepages", "1\n");
        Make("hugepages-1048576kB/free_hugepages", "1\n");
        HugePages.Require(256, _folder);
        Assert.Contains("no huge pages", Assert.Throws<IOException>(() => HugePages.Require(1, _folder + "/none")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_is_told_what_it_lacks()
    {
        const string address = "0000:00:05.0";
        Assert.Contains("expected one such as", Refused("eth0"), StringComparison.Ordinal);
        Assert.Contains("there is no network card 0000:00:05.0", Refused(address), StringComparison.Ordinal);
        string card = Path.GetDirectoryName(Make($"bus/pci/devices/{address}/vendor", "0x8086"))!;
        Assert.Contains("'modprobe vfio-pci'", Refused(address), StringComparison.Ordinal);
        Make("module/vfio_pci/refcnt", "0");
        Assert.Contains("held by the driver 'none'", Refused(address), StringComparison.Ordinal);
        Make("bus/pci/drivers/e1000/x", "");
        Directory.CreateSymbolicLink($"{card}/driver", "../../drivers/e1000");
        Assert.Contains("held by the driver 'e1000': 'swarmctl dataplane devices bind vfio-pci 0000:00:05.0'", Refused(address), StringComparison.Ordinal);
        Directory.Delete($"{card}/driver");
        Directory.CreateSymbolicLink($"{card}/driver", "../../drivers/vfio-pci");
        PciCard.Require(address, _folder, Make("vfio", ""));
    }

    private string Refused(string address) => Assert.Throws<IOException>(() => PciCard.Require(address, _folder, _folder + "/vfio")).Message;

    [Fact]
    public void The_environment_is_told_to_leave_nothing_behind_and_touch_no_other_card()
    {
        string huge = string.Join(' ', EalArguments.Make(new DpdkOptions { MemoryMb = 99, PciDevices = ["0000:00:05.0", "0000:00:06.0"] }, core: 3));
        Assert.Contains("--lcores 0@3 -m 99 --no-telemetry", huge, StringComparison.Ordinal);
        Assert.EndsWith("--in-memory -a 0000:00:05.0 -a 0000:00:06.0", huge, StringComparison.Ordinal);
        string none = string.Join(' ', EalArguments.Make(new DpdkOptions { HugePages = false, ExtraArguments = ["--iova-mode=va"] }, core: 0));
        Assert.EndsWith("--no-huge --no-shconf --no-pci --iova-mode=va", none, StringComparison.Ordinal);
        Assert.Equal(5, EalArguments.FirstCore("Name:\tx\nCpus_allowed_list:\t5-7,9\n"));
    }

    [Fact]
    public void It_starts_once_and_with_one_set_of_options()
    {
        DpdkFixture.Require();
        DpdkEal.Start(DpdkFixture.Options);
        DpdkEal.Start(DpdkFixture.Options with { PciDevices = [] });
        Assert.StartsWith("DPDK 2", DpdkEal.Version!, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => DpdkEal.Start(DpdkFixture.Options with { MemoryMb = 999 }));
        Assert.Throws<InvalidOperationException>(() => DpdkEal.Start(DpdkFixture.Options with { PciDevices = ["0000:00:05.0"] }));
        using var pool = new MbufPool(64);
        Assert.Contains("not started with the network card 0000:00:05.0", Assert.Throws<IOException>(() => new DpdkPort("0000:00:05.0", pool)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pool_larger_than_the_memory_says_so()
    {
        DpdkFixture.Require();
        Assert.StartsWith("no 1000000 packet buffers of 2048 bytes can be had (", Assert.Throws<IOException>(() => new MbufPool(1_000_000)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
