using System.Net;
using System.Net.Sockets;
using System.Text;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Membership;
using Skep.Manager.Roles;
using Skep.Raft;
using Skep.Store.Durability;
using Skep.Store.Members;

namespace Skep.Manager.Tests.Support;

/// <summary>Managers of one process with the two groups of their logs, over sockets of the loopback, and the loops that keep both in line.</summary>
internal sealed class TwoGroups : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("skep-two-groups-").FullName;
    private readonly List<One> all = [];
    private readonly CancellationTokenSource stopping = new();

    public static async Task<TwoGroups> OfAsync(int count)
    {
        var groups = new TwoGroups();
        One first = await groups.StartAsync("node-1");
        await groups.UntilAsync("the first manager leads both groups", () => first.Managers.View.IsLeading && first.Coordination.View.IsLeading);
        await groups.AddNodeAsync("node-1");
        for (int i = 2; i <= count; i++)
        {
            await groups.JoinAsync($"node-{i}");
        }
        await groups.UntilAsync($"{count} managers vote in both groups", () => first.Votes(first.Managers) == count && first.Votes(first.Coordination) == count);
        return groups;
    }

    public One this[int number] => all[number - 1];

    public One LeaderOf(Func<One, StoreMembers> group) => all.Where(m => group(m).View.IsLeading).MaxBy(m => group(m).View.Term)!;

    public async Task JoinAsync(string nodeId)
    {
        await AddNodeAsync(nodeId);
        One joiner = await StartAsync(nodeId);
        One leader = LeaderOf(static m => m.Managers);
        await UntilAsync($"{nodeId} is taken in", async () =>
        {
            try
            {
                await leader.Managers.ChangeAsync([.. leader.Managers.View.Members, new(joiner.Store.MemberId, nodeId, MemberKind.Learner)], stopping.Token);
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        });
        await UntilAsync($"{nodeId} votes in both groups", () => IsVoter(leader.Managers, joiner) && IsVoter(leader.Coordination, joiner));
    }

    public Task SetRoleAsync(string nodeId, NodeRole role) => LeaderOf(static m => m.Managers).Store.Store.UpdateAsync(
        tx =>
        {
            Node node = tx.Get<Node>(nodeId)!.Clone();
            node.Spec.DesiredRole = role;
            tx.Update(node);
        },
        stopping.Token);

    public Task UntilAsync(string what, Func<bool> holds) => UntilAsync(what, () => Task.FromResult(holds()));

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (One manager in all)
        {
            await manager.DisposeAsync();
        }
        stopping.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        patience.CancelAfter(Patience);
        while (!await holds())
        {
            if (patience.IsCancellationRequested)
            {
                Assert.Fail($"not within {Patience.TotalSeconds} s: {what}; {string.Join("; ", all.Select(static m => $"{m.NodeId} {m.Managers.View} with {Told(m.Managers)}, {m.Coordination.View} with {Told(m.Coordination)}"))}");
            }
            await Task.Delay(20, CancellationToken.None);
        }

        static string Told(StoreMembers members) => string.Join(",", members.View.Members.Select(static m => $"{m.Address} {m.Kind}"));
    }

    private static bool IsVoter(StoreMembers group, One member) => group.View.Find(member.Store.MemberId)?.Kind == MemberKind.Voter;

    private Task AddNodeAsync(string nodeId) => LeaderOf(static m => m.Managers).Store.Store.UpdateAsync(
        tx => tx.Create(new Node { Id = nodeId, Role = NodeRole.Manager, Spec = new() { DesiredRole = NodeRole.Manager } }), stopping.Token);

    private async Task<One> StartAsync(string nodeId)
    {
        bool founds = all.Count == 0;
        ulong id = MemberIds.OfFounder(nodeId);
        DurableStore store = await DurableStore.OpenAsync(
            new DurableStoreOptions
            {
                StateDirectory = Path.Combine(folder, nodeId),
                MemberId = id,
                Founds = founds,
                Address = nodeId,
                DataKey = new byte[32],
                SegmentSizeBytes = 256 * 1024,
                Dial = (to, ct) => DialAsync(id, to.Id, ct),
            },
            stopping.Token);
        (ReplicaGroup group, StoreMembers coordination) = await store.OpenGroupAsync(new ReplicaGroupOptions { GroupId = 2 }, new Nothing(), stopping.Token);
        var started = new One(nodeId, store, group, coordination);
        all.Add(started);
        return started;
    }

    private async Task<Stream> DialAsync(ulong from, ulong to, CancellationToken ct)
    {
        One target = all.Find(m => m.Store.MemberId == to && !m.IsStopped) ?? throw new IOException($"{to:x} is out of reach");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(listener.LocalEndpoint, ct);
        Socket server = await listener.AcceptSocketAsync(ct);
        server.NoDelay = true;
        _ = target.Store.ServePeerAsync(new NetworkStream(server, ownsSocket: true), from, stopping.Token);
        return new NetworkStream(client, ownsSocket: true);
    }

    /// <summary>One of them.</summary>
    internal sealed class One : IAsyncDisposable
    {
        private readonly ManagerRoles roles;
        private readonly CoordinationMembers following;
        private readonly CancellationTokenSource stopping = new();
        private readonly Task leading;

        public One(string nodeId, DurableStore store, ReplicaGroup group, StoreMembers coordination)
        {
            (NodeId, Store, Group, Coordination) = (nodeId, store, group, coordination);
            roles = new(store.Store, Managers, coordination, new ManagerRoster(Managers, coordination, static _ => false, TimeProvider.System), TimeProvider.System, NullLogger<ManagerRoles>.Instance);
            following = new(store.Store, Managers, coordination, TimeProvider.System, NullLogger<CoordinationMembers>.Instance);
            following.Start();
            leading = Task.Run(() => FollowLeadAsync(stopping.Token));
        }

        public string NodeId { get; }

        public DurableStore Store { get; }

        public ReplicaGroup Group { get; }

        public StoreMembers Managers => Store.Members;

        public StoreMembers Coordination { get; }

        public bool IsStopped { get; private set; }

        public int Votes(StoreMembers group) => group.View.Voters.Count();

        public async Task ProposeAsync(string command) => await Group.ProposeAsync(Encoding.ASCII.GetBytes(command)).WaitAsync(Patience);

        public async ValueTask DisposeAsync()
        {
            if (!IsStopped)
            {
                IsStopped = true;
                await stopping.CancelAsync();
                await leading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await roles.StopAsync();
                await following.StopAsync();
                await Store.DisposeAsync();
                stopping.Dispose();
            }
        }

        private async Task FollowLeadAsync(CancellationToken ct)
        {
            while (true)
            {
                await Managers.WaitForAsync(static v => v.IsLeading, ct);
                roles.Start();
                await Managers.WaitForAsync(static v => !v.IsLeading, ct);
                await roles.StopAsync();
            }
        }
    }

    private sealed class Nothing : IStateMachine
    {
        public void Apply(ulong index, ReadOnlyMemory<byte> command)
        {
        }

        public Func<Stream, CancellationToken, Task> CaptureSnapshot() => static (_, _) => Task.CompletedTask;

        public Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct) => Task.CompletedTask;
    }
}
