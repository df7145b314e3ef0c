using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Managers.Storms;

/// <summary>Network namespaces on one bridge, itself in a namespace, between which packets can be dropped one way or both.</summary>
internal sealed class StormNetwork : IAsyncDisposable
{
    private readonly string name;
    private readonly string prefix;
    private readonly int members;

    private StormNetwork(string name, string prefix, int members) => (this.name, this.prefix, this.members) = (name, prefix, members);

    public static async Task<StormNetwork> CreateAsync(int members)
    {
        Programs.Need();
        Assert.SkipUnless(File.Exists("/usr/sbin/nft") && File.Exists("/usr/sbin/ip"), "there is no nft or no ip in /usr/sbin (Debian: nftables, iproute2)");
        int number = Random.Shared.Next(0, 65536);
        var network = new StormNetwork($"sks{number:x4}", $"10.{232 + (number % 8)}.{number / 256}", members);
        try
        {
            await network.MakeAsync();
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    public string AddressOf(int member) => $"{prefix}.{member + 1}";

    /// <summary>What starts a command in a member's namespace. (<c>ip netns exec</c> would hide the cgroups.)</summary>
    public string[] WrapperOf(int member) => ["nsenter", $"--net=/var/run/netns/{NameOf(member)}"];

    /// <summary>Drops what one member sends another.</summary>
    public Task CutAsync(int from, int to) => RunAsync([.. WrapperOf(to), "nft", "add", "element", "inet", "storm", "cut", $"{{ {AddressOf(from)} }}"]);

    /// <summary>Lets everything through again.</summary>
    public async Task HealAsync()
    {
        for (int i = 0; i < members; i++)
        {
            await RunAsync([.. WrapperOf(i), "nft", "flush", "set", "inet", "storm", "cut"]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The cables go with their ends' namespaces.
        for (int i = 0; i < members; i++)
        {
            await Shell.RunAsync("ip", ["netns", "del", NameOf(i)]);
        }
        await Shell.RunAsync("ip", ["netns", "del", name]);
    }

    private async Task MakeAsync()
    {
        await IpAsync($"netns add {name}");
        await IpAsync($"-n {name} link add name bridge0 type bridge");
        await IpAsync($"-n {name} link set bridge0 up");
        for (int i = 0; i < members; i++)
        {
            await IpAsync($"netns add {NameOf(i)}");
            await IpAsync($"-n {NameOf(i)} link add eth0 type veth peer name p{i} netns {name}");
            await IpAsync($"-n {name} link set p{i} master bridge0 up");
            await IpAsync($"-n {NameOf(i)} addr add {AddressOf(i)}/24 dev eth0");
            await IpAsync($"-n {NameOf(i)} link set eth0 up");
            await IpAsync($"-n {NameOf(i)} link set lo up");
            await RunAsync(
                [.. WrapperOf(i), "nft", "add table inet storm; add set inet storm cut { type ipv4_addr; }; "
                    + "add chain inet storm in { type filter hook input priority 0; }; add rule inet storm in ip saddr @cut drop"]);
        }
    }

    private string NameOf(int member) => $"{name}-{member + 1}";

    private static Task IpAsync(string arguments) => RunAsync(["ip", .. arguments.Split(' ')]);

    private static async Task RunAsync(string[] command)
    {
        Said said = await Shell.RunAsync(command[0], command[1..]);
        if (said.Exit != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)}: {said.Errors.Trim()}");
        }
    }
}
