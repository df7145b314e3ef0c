using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Docker.Swarmkit.V1;
using Skep.Acceptance.Harness;
using Skep.Acceptance.Peers;
using Skep.TestEngine;

namespace Skep.Acceptance.Managers;

public sealed class Joining_and_leaving(ThreeManagers managers) : IClassFixture<ThreeManagers>, IAsyncDisposable
{
    private const string Sleep = "exec sleep 100000";

    public ValueTask DisposeAsync() => new(managers.TellAsync());

    [Fact]
    public async Task Three_managers_tell_the_same_whichever_is_asked()
    {
        SkepCluster c = await managers.GetAsync();
        foreach (Daemon manager in c.Daemons.Where(d => d.Manages && d.Runs))
        {
            string listed = (await c.CtlAsync(manager, "node", "ls")).Ok;
            Assert.Equal(3, Regex.Count(listed, "REACHABLE"));
            Assert.Single(Regex.Matches(listed, @"REACHABLE \*"));
            string name = "by-" + manager.Name;
            (await c.CtlAsync(manager, "service", "create", "--name", name, "--image", "redis", "--replicas", "0")).Ok.ToString();
            Assert.All(c.Daemons.Where(d => d.Manages && d.Runs), d => Assert.Contains(name, c.CtlAsync(d, "service", "ls").GetAwaiter().GetResult().Ok, StringComparison.Ordinal));
            await c.RemoveAsync(name);
        }
    }

    [Fact]
    public async Task A_worker_that_is_promoted_and_demoted_keeps_its_tasks_and_loses_its_log()
    {
        SkepCluster c = await managers.GetAsync();
        Daemon joiner = c.JoinManager("node-9", await c.WorkerTokenAsync());
        await Wait.Until("node-9 is READY", async () => (await c.NodeAsync("node-9")).Status.State == NodeStatus.Types.State.Ready, c.LogsAsync);
        await c.CreateAsync("kept", Sleep, "--replicas", "2", "--constraint", "node.hostname==node-9");
        int[] pids = [.. (await c.RunsAsync("kept", 2)).Select(t => t.Status.Container.Pid)];
        string[] ownLog = [Path.Combine(joiner.StateDirectory, "raft"), Path.Combine(joiner.StateDirectory, "raft-member")];
        Assert.All(ownLog, path => Assert.False(Path.Exists(path)));

        await c.OkAsync("node", "promote", "node-9");
        await c.ReachableAsync(4);
        Assert.All(ownLog, path => Assert.True(Path.Exists(path)));
        Assert.Contains("kept", (await c.CtlAsync(joiner, "service", "ls")).Ok, StringComparison.Ordinal);

        Said refused = await c.CtlAsync("node", "remove", "--force", "node-9");
        Assert.Equal(255, refused.Exit);
        Assert.Contains("is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal", refused.Errors, StringComparison.Ordinal);

        await c.OkAsync("node", "demote", "node-9");
        await c.ReachableAsync(3);
        await Wait.Until("the demoted node's log is gone", () => !ownLog.Any(Path.Exists));
        await c.ReadyAsync(5);
        Assert.Equal(pids, (await c.RunsAsync("kept", 2)).Select(t => t.Status.Container.Pid));
        Assert.All(pids, pid => Assert.True(Posix.Runs(pid)));

        // It takes work as a worker, and leaves.
        await c.CreateAsync("next", Sleep, "--constraint", "node.hostname==node-9");
        await c.RunsAsync("next", 1);
        await c.RemoveAsync("next");
        await c.RemoveAsync("kept");
        await joiner.DisposeAsync();
        await c.OkAsync("node", "remove", "--force", "node-9");
    }

    [Fact]
    public async Task A_leader_that_is_demoted_hands_the_lead_over()
    {
        SkepCluster c = await managers.GetAsync();
        await c.CreateAsync("stay", Sleep, "--replicas", "4");
        IReadOnlyList<SwarmTask> before = await c.RunsAsync("stay", 4);
        Daemon leader = await c.LeaderAsync();
        await c.OkAsync("node", "demote", leader.Name);
        c.Ask(c.Daemons.First(d => d.Manages && d != leader && d.Runs));
        await c.ReachableAsync(2);
        Assert.NotEqual(leader, await c.LeaderAsync());
        await Wait.Until("its log is gone", () => !Path.Exists(Path.Combine(leader.StateDirectory, "raft")));
        await c.ReadyAsync(4);
        Assert.Equal(before.Select(t => t.Id), (await c.RunsAsync("stay", 4)).Select(t => t.Id));

        await c.OkAsync("node", "promote", leader.Name);
        await c.ReachableAsync(3);
        await c.RemoveAsync("stay");
    }

    [Fact]
    public async Task A_manager_that_was_demoted_and_promoted_again_while_it_was_off_takes_part_again()
    {
        await using SkepCluster c = await SkepCluster.StartManagersAsync(3);
        Daemon away = c.Daemons.First(d => d.Manages && d.Name != "node-1");
        c.Ask(c.Daemons.First(d => d != away));
        await away.KillAsync();
        await Wait.Until(
            "it is UNREACHABLE",
            async () => (await c.NodeAsync(away.Name)).ManagerStatus.Reachability == RaftMemberStatus.Types.Reachability.Unreachable,
            c.LogsAsync);
        await c.OkAsync("node", "demote", away.Name);
        await Wait.Until("it is a worker", async () => (await c.NodeAsync(away.Name)).Role == NodeRole.Worker, c.LogsAsync);
        await c.OkAsync("node", "promote", away.Name);

        away.Start();
        await c.ReachableAsync(3);
        Assert.Contains(away.Name, (await c.CtlAsync(away, "node", "ls")).Ok, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manager_that_lost_its_log_comes_back_as_another_member()
    {
        await using SkepCluster c = await SkepCluster.StartManagersAsync(3);
        await c.CreateAsync("kept", Sleep);
        foreach (Daemon lost in c.Daemons.Where(d => d.Manages).ToList())
        {
            c.Ask(c.Daemons.First(d => d != lost));
            ulong before = (await c.NodeAsync(lost.Name)).ManagerStatus.RaftId;
            await lost.KillAsync();
            Directory.Delete(Path.Combine(lost.StateDirectory, "raft"), recursive: true);
            lost.Start();
            await Wait.Until(
                $"{lost.Name} is another member",
                async () => (await c.NodeAsync(lost.Name)).ManagerStatus is { } status && status.RaftId != before,
                c.LogsAsync);
            await c.ReachableAsync(3);
            Assert.Contains("kept", (await c.CtlAsync(lost, "service", "ls")).Ok, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_node_whose_port_is_taken_goes_on_as_a_worker_says_why_and_manages_once_it_is_free()
    {
        await using SkepCluster c = await SkepCluster.StartAsync(workers: 0);
        Daemon joiner = c.JoinManager("node-2", await c.WorkerTokenAsync());
        await c.ReadyAsync(2);
        var taken = new TcpListener(IPAddress.Loopback, int.Parse(joiner.Address.Split(':')[1]));
        taken.Start();
        try
        {
            await c.OkAsync("node", "promote", "node-2");
            await Wait.Until("it says why it does not manage", () => joiner.Log.Contains("is to manage and cannot", StringComparison.Ordinal));
            Assert.Matches("is to manage and cannot: .*" + Regex.Escape(joiner.Address), joiner.Log);
            await c.CreateAsync("works", Sleep, "--constraint", "node.hostname==node-2");
            await c.RunsAsync("works", 1);
        }
        finally
        {
            taken.Stop();
        }
        await c.ReachableAsync(2);
    }

    [Fact]
    public async Task The_last_manager_cannot_be_demoted()
    {
        await using SkepCluster c = await SkepCluster.StartAsync(workers: 1);
        Said refused = await c.CtlAsync("node", "demote", "node-1");
        Assert.Equal(255, refused.Exit);
        Assert.Contains("attempting to demote the last manager of the swarm", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_demotion_that_would_break_the_quorum_is_refused()
    {
        await using SkepCluster c = await SkepCluster.StartManagersAsync(3);
        Daemon leader = await c.LeaderAsync();
        Daemon[] others = [.. c.Daemons.Where(d => d != leader)];
        c.Ask(leader);
        await others[0].KillAsync();
        await Wait.Until(
            "the killed manager is UNREACHABLE",
            async () => (await c.NodeAsync(others[0].Name)).ManagerStatus.Reachability == RaftMemberStatus.Types.Reachability.Unreachable,
            c.LogsAsync);
        Said refused = await c.CtlAsync("node", "demote", others[1].Name);
        Assert.Equal(255, refused.Exit);
        Assert.Contains("can't remove member from the raft: this would result in a loss of quorum", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(NodeRole.Manager, (await c.NodeAsync(others[1].Name)).Spec.DesiredRole);

        // The one that is gone may be let go.
        await c.OkAsync("node", "demote", others[0].Name);
        await c.ReachableAsync(2);
    }

    [Fact]
    public async Task There_is_no_eighth_manager()
    {
        await using SkepCluster c = await SkepCluster.StartManagersAsync(7, workers: 1);
        Said refused = await c.CtlAsync("node", "promote", "node-8");
        Assert.Equal(255, refused.Exit);
        Assert.Contains("the cluster has 7 managers already, which is the most", refused.Errors, StringComparison.Ordinal);

        Daemon eighth = c.JoinManager("node-9", await c.ManagerTokenAsync());
        Assert.Equal(1, await eighth.EndedAsync());
        Assert.Contains("the cluster has 7 managers already, which is the most; demote one first, or use the worker token", eighth.Log, StringComparison.Ordinal);
        Assert.Equal(8, (await c.NodesAsync()).Count);
    }

    [Fact]
    public async Task A_Docker_Engine_is_no_manager_neither_by_token_nor_by_promotion()
    {
        Assert.SkipWhen(DockerEngine.WhyNot is not null, DockerEngine.WhyNot ?? "");
        Programs.Need();
        using NetworkNamespace network = NetworkNamespace.Create();
        await using DockerEngine engine = await DockerEngine.StartAsync(network.Wrapper);
        await using var c = new SkepCluster(network.Outside);
        await c.FoundAsync();

        Said refused = await Docker_Engine_as_worker.DockerAsync(engine, "swarm", "join", "--token", await c.ManagerTokenAsync(), c.Address);
        Assert.NotEqual(0, refused.Exit);
        Assert.Contains("only a Skep node can become a manager of this cluster", refused.Errors, StringComparison.Ordinal);
        Assert.Single(await c.NodesAsync());

        await Docker_Engine_as_worker.DockerAsync(engine, "swarm", "leave", "--force");
        (await Docker_Engine_as_worker.DockerAsync(engine, "swarm", "join", "--token", await c.WorkerTokenAsync(), c.Address)).Ok.ToString();
        await c.ReadyAsync(2);
        Node node = (await c.NodesAsync()).Single(n => n.Description.Hostname != "node-1");
        Said promoted = await c.CtlAsync("node", "promote", node.Id);
        Assert.Equal(255, promoted.Exit);
        Assert.Contains("it does not run Skep's swarmd", promoted.Errors, StringComparison.Ordinal);
    }
}
