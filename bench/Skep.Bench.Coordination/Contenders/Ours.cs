using Skep.Bench.FaultTolerance;
using Skep.Bench.Raft;

namespace Skep.Bench.Coordination;

/// <summary>Managers of swarmd, with mTLS and an encrypted log between them as always.</summary>
internal sealed class Ours : Contender
{
    private readonly int[] _ports;
    private readonly ManagerGroup _group;

    private Ours(ManagerGroup group, int[] ports, bool linearizable)
    {
        _group = group;
        _ports = ports;
        Linearizable = linearizable;
    }

    public override string Name => Linearizable ? "Skep lin." : "Skep";

    /// <summary>Whether every read is.</summary>
    public bool Linearizable { get; }

    public override IReadOnlyList<int> Ports => _ports;

    public override IEnumerable<int> Pids => _group.Pids;

    /// <param name="programs">The folder with swarmd; null for bin/ of the repository.</param>
    /// <param name="members">How many managers.</param>
    /// <param name="linearizable">Whether every read asks the leader for its place first.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<Ours> StartAsync(string? programs, int members, bool linearizable, CancellationToken ct)
    {
        int[] ports = Loopback.FreePorts(members);
        ManagerGroup group = await ManagerGroup.StartAsync(
            members,
            i =>
            [
                "--coordination", $"127.0.0.1:{ports[i]}", "--coordination-max-connections-per-address", "0",
                .. linearizable ? (string[])["--coordination-reads", "linearizable"] : [],
            ],
            programs,
            ct: ct);
        return new Ours(group, ports, linearizable);
    }

    public override Task KillAsync(int server)
    {
        _group.Kill(server);
        return Task.CompletedTask;
    }

    public override void StartAgain(int server) => _group.Start(server);

    public override void EnsureAlive() => _group.EnsureAlive();

    public override ValueTask DisposeAsync() => _group.DisposeAsync();
}
