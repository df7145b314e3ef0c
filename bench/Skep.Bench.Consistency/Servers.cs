using System.Net.Sockets;
using System.Text;
using Skep.Bench.Cluster;
using Skep.Bench.FaultTolerance;
using Skep.Coordination.Client;

namespace Skep.Bench.Consistency;

/// <summary>Three managers that serve coordination.</summary>
internal sealed class Servers : IAsyncDisposable
{
    private const int Count = 3;
    private const int Port = 2181;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private readonly ManagerGroup _group;
    private readonly string[] _addresses;

    private Servers(ManagerGroup group, string[] addresses) => (_group, _addresses) = (group, addresses);

    public static async Task<Servers> StartAsync(string? programs, Network? network, CancellationToken ct)
    {
        string[] addresses = [.. Enumerable.Range(0, Count).Select(i => network is null ? $"127.0.0.1:{ManagerGroup.FreePort()}" : $"{Network.AddressOf(i)}:{Port}")];
        ManagerGroup group = await ManagerGroup.StartAsync(
            Count,
            i => ["--coordination", addresses[i], "--coordination-insecure", "--coordination-max-connections-per-address", "0"],
            programs,
            network is null ? null : Network.AddressOf,
            network is null ? null : network.WrapperOf,
            ct);
        return new Servers(group, addresses);
    }

    public string AddressOf(int server) => _addresses[server];

    /// <summary>Waits until all serve and one leads, and says which; only some where a part is cut off.</summary>
    public async Task<int> LeaderAsync(CancellationToken ct, params int[] of)
    {
        int[] asked = of.Length > 0 ? of : [0, 1, 2];
        int leader = -1;
        await Machine.UntilAsync("a leader, and all others behind it", Patience, Step, async () =>
        {
            _group.EnsureAlive();
            string[] modes = await Task.WhenAll(asked.Select(ModeAsync));
            leader = Array.IndexOf(modes, "leader") is >= 0 and int at ? asked[at] : -1;
            return leader >= 0 && modes.Count(static m => m == "follower") == asked.Length - 1;
        }, ct);
        return leader;
    }

    /// <summary>A session with these servers.</summary>
    public Task<CoordinationClient> ConnectAsync(int[] to, Func<CoordinationClientOptions, CoordinationClientOptions>? change, CancellationToken ct)
    {
        var options = new CoordinationClientOptions { Servers = [.. to.Select(AddressOf)], ConnectTimeout = Patience };
        return CoordinationClient.ConnectAsync(change?.Invoke(options) ?? options, ct);
    }

    public ValueTask DisposeAsync() => _group.DisposeAsync();

    private async Task<string> ModeAsync(int server)
    {
        try
        {
            using var client = new TcpClient();
            string[] parts = AddressOf(server).Split(':');
            await client.ConnectAsync(parts[0], int.Parse(parts[1]));
            await client.GetStream().WriteAsync("srvr"u8.ToArray());
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            string said = await reader.ReadToEndAsync();
            return said.Split('\n').FirstOrDefault(static l => l.StartsWith("Mode: ", StringComparison.Ordinal))?["Mode: ".Length..].Trim() ?? "";
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return "";
        }
    }
}
