namespace Skep.Coordination.Client.Session;

/// <summary>The servers in a shuffled order, one after the other, so that clients spread over them.</summary>
internal sealed class ServerOrder
{
    private readonly ServerAddress[] _servers;
    private int _next;

    public ServerOrder(IReadOnlyList<string> servers, Random random)
    {
        _servers = [.. servers.Select(ServerAddress.Parse)];
        if (_servers.Length == 0)
        {
            throw new ArgumentException("no server is given", nameof(servers));
        }
        random.Shuffle(_servers);
    }

    public IReadOnlyList<ServerAddress> All => _servers;

    public int Count => _servers.Length;

    public ServerAddress Next()
    {
        ServerAddress server = _servers[_next];
        _next = (_next + 1) % _servers.Length;
        return server;
    }

    /// <summary>Makes a server the next one.</summary>
    public void Prefer(ServerAddress server) => _next = Math.Max(Array.IndexOf(_servers, server), 0);
}
