namespace Skep.Bench.Raft;

/// <summary>A group of members, each a process, that takes commands.</summary>
internal abstract class Contender : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public abstract string Name { get; }

    /// <summary>Processor time of all members so far.</summary>
    public abstract double CpuSeconds { get; }

    /// <summary>How many connections its clients do best with at so many outstanding commands.</summary>
    public abstract int ConnectionsFor(int outstanding);

    public abstract ValueTask DisposeAsync();

    /// <summary>Opens connections to the leader, as soon as there is one.</summary>
    public async Task<Pipe[]> ConnectAsync(int connections)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                if (await FindLeaderAsync(patience.Token) is { } leader)
                {
                    var pipes = new Pipe[connections];
                    for (int i = 0; i < connections; i++)
                    {
                        pipes[i] = await OpenAsync(leader, patience.Token);
                    }

                    return pipes;
                }
            }
            catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException or HttpRequestException)
            {
                // Not up yet.
            }

            await Task.Delay(200, patience.Token);
        }
    }

    /// <returns>Where clients reach the leader; null when nobody leads.</returns>
    protected abstract Task<int?> FindLeaderAsync(CancellationToken ct);

    protected abstract Task<Pipe> OpenAsync(int port, CancellationToken ct);
}
