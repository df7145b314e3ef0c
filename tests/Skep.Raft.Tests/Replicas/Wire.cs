using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Skep.Raft.Tests.Replicas;

/// <summary>Members of one process over sockets of the loopback, whose streams can be cut and forbidden.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ulong, RaftHost> _hosts = [];
    private readonly ConcurrentDictionary<(ulong From, ulong To), ConcurrentBag<Stream>> _streams = [];
    private readonly ConcurrentDictionary<ulong, byte> _cut = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();

    /// <summary>Whoever this member dials, or is dialled by, finds nobody; its streams end.</summary>
    public void Cut(ulong member)
    {
        lock (_gate)
        {
            _cut[member] = 0;
            foreach (var (pair, streams) in _streams)
            {
                if (pair.From == member || pair.To == member)
                {
                    foreach (var stream in streams)
                    {
                        stream.Dispose();
                    }
                }
            }
        }
    }

    public void Heal(ulong member) => _cut.TryRemove(member, out _);

    public void Attach(ulong member, RaftHost host) => _hosts[member] = host;

    public void Detach(ulong member) => _hosts.TryRemove(member, out _);

    public Func<RaftMember, CancellationToken, Task<Stream>> DialFrom(ulong from) => async (to, ct) =>
    {
        var host = Reach(from, to.Id);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(listener.LocalEndpoint, ct);
        var server = await listener.AcceptSocketAsync(ct);
        server.NoDelay = true;
        Stream ours = new NetworkStream(client, ownsSocket: true), theirs = new NetworkStream(server, ownsSocket: true);
        try
        {
            Join(from, to.Id, ours, theirs);
        }
        catch
        {
            await ours.DisposeAsync();
            await theirs.DisposeAsync();
            throw;
        }

        _ = host.ServeAsync(theirs, from, _stop.Token);
        return ours;
    };

    private RaftHost Reach(ulong from, ulong to) =>
        !_cut.ContainsKey(from) && !_cut.ContainsKey(to) && _hosts.TryGetValue(to, out var host) ? host : throw new IOException($"{to} is out of reach");

    // A dial that was under way when a member was cut off must not go through: a leader would keep the majority it was to lose.
    private void Join(ulong from, ulong to, Stream ours, Stream theirs)
    {
        lock (_gate)
        {
            Reach(from, to);
            var streams = _streams.GetOrAdd((from, to), static _ => []);
            streams.Add(ours);
            streams.Add(theirs);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var stream in _streams.Values.SelectMany(static s => s))
        {
            await stream.DisposeAsync();
        }

        _stop.Dispose();
    }
}
