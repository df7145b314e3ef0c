using System.Diagnostics;
using Skep.Bench.Cluster;

namespace Skep.Bench.Consistency;

/// <summary>
/// Network namespaces, one a server, on a bridge in the namespace of this program, which is its own and reaches them all. What servers
/// send one another can be dropped.
/// </summary>
internal sealed class Network : IAsyncDisposable
{
    private const string Prefix = "10.239.17";
    private readonly string _name = $"skc{Environment.ProcessId:x}";
    private readonly int _members;

    private Network(int members) => _members = members;

    /// <summary>Runs this program again in a network namespace of its own.</summary>
    /// <exception cref="InvalidOperationException">Something for it is missing; says what.</exception>
    public static async Task<int> RunInsideAsync(string[] args)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/sbin/ip") || !File.Exists("/usr/sbin/nft"))
        {
            throw new InvalidOperationException("to cut servers off takes root, /usr/sbin/ip and /usr/sbin/nft (apt-get install iproute2 nftables); 'latency' needs none of them");
        }
        string[] self = Path.GetFileName(Environment.ProcessPath!) == "dotnet" ? [Environment.ProcessPath!, typeof(Network).Assembly.Location] : [Environment.ProcessPath!];
        using Process inside = Process.Start("unshare", ["--net", .. self, Options.Inside, .. args]);
        await inside.WaitForExitAsync();
        return inside.ExitCode;
    }

    public static async Task<Network> CreateAsync(int members)
    {
        var network = new Network(members);
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

    public static string AddressOf(int member) => $"{Prefix}.{member + 1}";

    /// <summary>What starts a program in a member's namespace.</summary>
    public string[] WrapperOf(int member) => ["nsenter", $"--net=/var/run/netns/{NameOf(member)}"];

    /// <summary>Drops everything between a member and the others. This program reaches it still.</summary>
    public async Task IsolateAsync(int member)
    {
        string others = string.Join(", ", Enumerable.Range(0, _members).Where(i => i != member).Select(AddressOf));
        await NftAsync(member, $"add element inet cut from {{ {others} }}");
        for (int i = 0; i < _members; i++)
        {
            if (i != member)
            {
                await NftAsync(i, $"add element inet cut from {{ {AddressOf(member)} }}");
            }
        }
    }

    /// <summary>Lets everything through again.</summary>
    public async Task HealAsync()
    {
        for (int i = 0; i < _members; i++)
        {
            await NftAsync(i, "flush set inet cut from");
        }
    }

    public async ValueTask DisposeAsync()
    {
        for (int i = 0; i < _members; i++)
        {
            if (File.Exists($"/var/run/netns/{NameOf(i)}"))
            {
                await IpAsync($"netns del {NameOf(i)}");
            }
        }
    }

    private async Task MakeAsync()
    {
        await IpAsync("link set lo up");
        await IpAsync("link add name bridge0 type bridge");
        await IpAsync($"addr add {Prefix}.254/24 dev bridge0");
        await IpAsync("link set bridge0 up");
        for (int i = 0; i < _members; i++)
        {
            await IpAsync($"netns add {NameOf(i)}");
            await IpAsync($"link add p{i} type veth peer name eth0 netns {NameOf(i)}");
            await IpAsync($"link set p{i} master bridge0 up");
            await IpAsync($"-n {NameOf(i)} addr add {AddressOf(i)}/24 dev eth0");
            await IpAsync($"-n {NameOf(i)} link set eth0 up");
            await IpAsync($"-n {NameOf(i)} link set lo up");
            await NftAsync(i, "add table inet cut; add set inet cut from { type ipv4_addr; }; "
                + "add chain inet cut in { type filter hook input priority 0; }; add rule inet cut in ip saddr @from drop");
        }
    }

    private string NameOf(int member) => $"{_name}-{member + 1}";

    private static Task IpAsync(string arguments) => Machine.RunAsync("/usr/sbin/ip", arguments.Split(' '));

    private Task NftAsync(int member, string command) => Machine.RunAsync("nsenter", [.. WrapperOf(member)[1..], "/usr/sbin/nft", command]);
}
