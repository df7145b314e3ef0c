using System.Text;
using Skep.Raft.Tests.Host;

namespace Skep.Raft.Tests.Replicas;

/// <summary>Members of one group, each with a log on disk of its own, that can be stopped, started again and cut off.</summary>
internal sealed class Members : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<ulong, Member> _members = [];

    public Wire Wire { get; } = new();

    public ulong SnapshotEveryEntries { get; init; } = 10_000;

    public ulong KeepEntries { get; init; } = 500;

    public Member this[ulong id] => _members[id];

    /// <summary>Where a member's log lies.</summary>
    public string FolderOf(ulong id) => Path.Combine(_folder.Path, $"{id}");

    public IEnumerable<Member> Up => _members.Values;

    public static RaftMember Address(ulong id) => new(id, $"member-{id}");

    public static async Task<Members> StartAsync(int count, ulong snapshotEveryEntries = 10_000, ulong keepEntries = 500)
    {
        var members = new Members { SnapshotEveryEntries = snapshotEveryEntries, KeepEntries = keepEntries };
        RaftMember[] founders = [.. Enumerable.Range(1, count).Select(i => Address((ulong)i))];
        foreach (var founder in founders)
        {
            await members.StartAsync(founder.Id, founders);
        }

        return members;
    }

    public async Task<Member> StartAsync(ulong id, IReadOnlyList<RaftMember>? founders = null, ulong? snapshotEveryEntries = null)
    {
        var host = await RaftHost.OpenAsync(new RaftHostOptions
        {
            Folder = FolderOf(id),
            DataKey = new byte[32],
            Member = Address(id),
            Dial = Wire.DialFrom(id),
            KeepEntries = KeepEntries,
            SegmentSizeBytes = 64 * 1024,
            Seed = (int)id,
        });
        var commands = new CommandList();
        var group = await host.OpenGroupAsync(
            new ReplicaGroupOptions
            {
                GroupId = 7,
                Founders = founders ?? [],
                ElectionTimeoutMs = 600,
                HeartbeatMs = 50,
                SnapshotEveryEntries = snapshotEveryEntries ?? SnapshotEveryEntries,
            },
            commands);
        Wire.Attach(id, host);
        return _members[id] = new Member(id, host, group, commands);
    }

    public async Task StopAsync(ulong id)
    {
        Wire.Detach(id);
        Wire.Cut(id);
        await _members[id].Host.DisposeAsync();
        _members.Remove(id);
        Wire.Heal(id);
    }

    /// <summary>Waits until one of the members that can be reached leads, and knows that it does.</summary>
    public async Task<Member> LeaderAsync(params ulong[] without)
    {
        var candidates = Up.Where(m => !without.Contains(m.Id)).ToList();
        using var patience = new CancellationTokenSource(Patience);
        var waits = candidates.Select(m => m.Group.WaitForAsync(static s => s.Role == ReplicaRole.Leader, patience.Token)).ToList();
        try
        {
            await await Task.WhenAny(waits);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"none of members {string.Join(", ", candidates.Select(static m => m.Id))} led within {Patience.TotalSeconds} s: {StatusOfAll()}");
        }

        await patience.CancelAsync();
        return candidates.Where(static m => m.Group.Status.Role == ReplicaRole.Leader).MaxBy(static m => m.Group.Status.Term)!;
    }

    /// <summary>Proposes until it is taken, as a client does that goes from member to member.</summary>
    public async Task ProposeAsync(string command, params ulong[] without)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var leader = await LeaderAsync(without);
            try
            {
                await leader.Group.ProposeAsync(Encoding.UTF8.GetBytes(command), patience.Token);
                return;
            }
            catch (NotLeaderException)
            {
                // It has just lost the lead; the next one is waited for.
            }
            catch (ProposalLostException)
            {
                if (await WasTakenAsync(command, without))
                {
                    return;
                }
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"member {leader.Id} took {command} and did not commit it within {Patience.TotalSeconds} s: {StatusOfAll()}");
            }
        }
    }

    private string StatusOfAll() => string.Join("; ", Up.Select(static m =>
        $"member {m.Id} is {m.Group.Status.Role} in term {m.Group.Status.Term} under {m.Group.Status.LeaderId}, committed {m.Group.Status.CommitIndex} of {m.Group.Status.LastIndex}, others lack {string.Join(",", m.Group.Status.LagByMember)}"));

    // Once a leader has committed in its own term, what it does not hold is never applied.
    private async Task<bool> WasTakenAsync(string command, ulong[] without)
    {
        while (true)
        {
            var leader = await LeaderAsync(without);
            try
            {
                await leader.Group.ReadIndexAsync().WaitAsync(Patience);
                return leader.Has(command);
            }
            catch (NotLeaderException)
            {
                // The next one tells.
            }
        }
    }

    public static async Task UntilAppliedAsync(Member member, string command)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await member.Group.WaitForAsync(_ => member.Has(command), patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"member {member.Id} has not applied {command}: {member.Group.Status}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Wire.DisposeAsync();
        foreach (var member in _members.Values)
        {
            await member.Host.DisposeAsync();
        }

        _folder.Dispose();
    }
}

/// <summary>One of them.</summary>
internal sealed record Member(ulong Id, RaftHost Host, ReplicaGroup Group, CommandList Commands)
{
    public bool Has(string command) => Commands.Commands.Any(c => c.Command == command);
}
