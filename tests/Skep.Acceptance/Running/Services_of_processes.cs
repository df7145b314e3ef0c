using System.Text.RegularExpressions;
using Docker.Swarmkit.V1;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Running;

public sealed partial class Services_of_processes(ThreeNodes nodes) : IClassFixture<ThreeNodes>, IAsyncDisposable
{
    private const string Sleep = "exec sleep 100000";

    public ValueTask DisposeAsync() => new(nodes.TellAsync());

    [Fact]
    public async Task Three_nodes_join_and_are_listed_as_SwarmKit_lists_them()
    {
        SkepCluster c = await nodes.GetAsync();
        Assert.Equal(
            """
            ID                         Name    Membership  Status  Availability  Manager Status
            --                         ----    ----------  ------  ------------  --------------
            ID                         node-1  ACCEPTED    READY   ACTIVE        REACHABLE *
            ID                         node-2  ACCEPTED    READY   ACTIVE
            ID                         node-3  ACCEPTED    READY   ACTIVE
            """,
            Sorted(await c.OkAsync("node", "ls")));
        Assert.Equal(["ID", "ID", "ID"], Plain(await c.OkAsync("node", "ls", "-q")).Split('\n').Select(l => l.Trim()));
    }

    [Fact]
    public async Task The_cluster_is_described_as_SwarmKit_describes_it()
    {
        SkepCluster c = await nodes.GetAsync();
        Assert.Equal(
            """
            ID          : ID
            Name        : default
            Orchestration settings:
              Task history entries: 5
            Dispatcher settings:
              Dispatcher heartbeat period: 5s
            Certificate Authority settings:
              Certificate Validity Duration: 2160h0m0s
              Join Tokens:
                Worker: SWMTKN-1-TOKEN
                Manager: SWMTKN-1-TOKEN
            """,
            Plain(await c.OkAsync("cluster", "inspect", "default")));
    }

    [Fact]
    public async Task A_service_is_created_scaled_and_spread_over_the_nodes()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("web", Sleep);
        await c.RunsAsync("web", 1);
        Assert.Equal("ID", Plain(await c.OkAsync("service", "update", "web", "--replicas", "6")).Trim());
        IReadOnlyList<SwarmTask> tasks = await c.RunsAsync("web", 6);

        Assert.Equal([1UL, 2, 3, 4, 5, 6], tasks.Select(t => t.Slot));
        Assert.All(tasks.GroupBy(t => t.NodeId), node => Assert.Equal(2, node.Count()));
        Assert.All(tasks, t => Assert.True(Posix.Runs(t.Status.Container.Pid)));
        Assert.Matches(@"web +/bin/sh +6/6", await c.OkAsync("service", "ls"));
        string inspected = Plain(await c.OkAsync("service", "inspect", "web"));
        Assert.StartsWith("ID                : ID\nName              : web\nReplicas          : 6/6\nTemplate\n Container\n", inspected, StringComparison.Ordinal);
        Assert.Matches("(?m)^Task ID +Service +Slot +Image +Desired State +Last State +Node$", inspected);
        Assert.Equal(6, Regex.Count(inspected, @"(?m)^ID +web +[1-6] +/bin/sh +RUNNING +RUNNING (now|\d+ seconds? ago) +node-[123]$"));

        await c.OkAsync("service", "update", "web", "--replicas", "2");
        await c.RunsAsync("web", 2);
        await Wait.Until("the processes of removed tasks end", () => tasks.Count(t => Posix.Runs(t.Status.Container.Pid)) == 2);
        await c.RemoveAsync("web");
        Assert.All(tasks, t => Assert.False(Posix.Runs(t.Status.Container.Pid)));
    }

    [Fact]
    public async Task An_update_rolls_through_the_slots_and_can_be_taken_back()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("roll", Sleep, "--replicas", "4", "--detach=false");
        string progress = await c.OkAsync(
            "service", "update", "roll", "--env", "VERSION=2", "--update-parallelism", "2", "--update-delay", "1s", "--detach=false");
        Assert.Contains("update completed", progress, StringComparison.Ordinal);
        await c.RunsAsync("roll", 4, t => t.Spec.Container?.Env.Contains("VERSION=2") == true || t.Spec.Generic is not null);
        Assert.Equal(UpdateStatus.Types.UpdateState.Completed, (await c.ServiceAsync("roll")).UpdateStatus.State);
        string history = Plain(await c.OkAsync("service", "inspect", "--all", "roll"));
        Assert.Matches("Update Status\n State +: COMPLETED\n Started +: .*\n( Completed +: .*\n)? Message +: update completed\n", history);
        Assert.Equal(4, Regex.Count(history, "(?m)^ID +roll +[1-4] +/bin/sh +SHUTDOWN +SHUTDOWN "));

        await c.OkAsync("service", "update", "roll", "--rollback", "--detach=false");
        Assert.Equal(UpdateStatus.Types.UpdateState.RollbackCompleted, (await c.ServiceAsync("roll")).UpdateStatus.State);
        Assert.DoesNotContain("VERSION=2", (await c.ServiceAsync("roll")).Spec.Task.ToString(), StringComparison.Ordinal);
        await c.RunsAsync("roll", 4);
        await c.RemoveAsync("roll");
    }

    [Fact]
    public async Task An_update_that_fails_pauses_and_says_so()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("fails", Sleep, "--replicas", "3");
        await c.RunsAsync("fails", 3);
        await c.OkAsync("service", "update", "fails", "--args", "-c,\"exit 3\"", "--restart-condition", "none", "--update-parallelism", "1", "--update-delay", "3s");
        await Wait.Until("the update pauses", async () => (await c.ServiceAsync("fails")).UpdateStatus?.State == UpdateStatus.Types.UpdateState.Paused);
        Assert.Matches(" State +: PAUSED\n", Plain(await c.OkAsync("service", "inspect", "fails")));
        Assert.Equal(2, (await c.RunningAsync("fails")).Count);
        await c.RemoveAsync("fails");
    }

    [Fact]
    public async Task A_global_service_runs_once_on_each_node()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("everywhere", Sleep, "--mode", "global");
        IReadOnlyList<SwarmTask> tasks = await c.RunsAsync("everywhere", 3);
        Assert.Equal(3, tasks.Select(t => t.NodeId).Distinct().Count());
        Assert.Matches("everywhere +/bin/sh +global", await c.OkAsync("service", "ls"));
        await c.RemoveAsync("everywhere");
    }

    [Fact]
    public async Task A_service_that_no_node_can_hold_says_why_and_what_would_mend_it()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("greedy", Sleep, "--memory-reservation", "900000g");
        await Wait.Until("the task is found not to fit", async () => (await c.TasksAsync("greedy")).Any(t => t.Status.Err.Length > 0));
        SwarmTask task = Assert.Single(await c.TasksAsync("greedy"));
        Assert.Equal(TaskState.Pending, task.Status.State);
        Assert.Equal("no suitable node (insufficient resources on 3 nodes)", task.Status.Err);
        string why = await c.OkAsync("service", "why", "greedy");
        Assert.Contains("0 of 1 tasks run", why, StringComparison.Ordinal);
        Assert.Matches(@"greedy\.1: asks .* of memory; the largest node has ", why);
        Assert.Contains("Lower --memory-reservation", why, StringComparison.Ordinal);
        Assert.Contains("Lower --memory-reservation", await c.OkAsync("task", "why", task.Id), StringComparison.Ordinal);
        await c.RemoveAsync("greedy");
    }

    [Fact]
    public async Task Logs_come_from_every_node_and_follow()
    {
        SkepCluster c = await nodes.GetAsync();
        await c.CreateAsync("talk", "echo first $$; while :; do echo again $$; sleep 1; done", "--replicas", "3");
        await c.RunsAsync("talk", 3);
        using var follow = new Following(c, "service", "logs", "-f", "talk");
        foreach (string node in (string[])["node-1", "node-2", "node-3"])
        {
            await Wait.Until($"the first line of {node}", () => Regex.IsMatch(follow.Text, $@"talk\.[123]@{node}❯ first \d+\n"));
            await Wait.Until($"lines of {node} go on", () => Regex.Count(follow.Text, $@"talk\.[123]@{node}❯ again \d+\n") >= 3);
        }
        await c.RemoveAsync("talk");
    }

    [Fact]
    public async Task A_drained_node_is_left_a_paused_one_takes_nothing_new_and_an_activated_one_does_again()
    {
        SkepCluster c = await nodes.GetAsync();
        string two = (await c.NodeAsync("node-2")).Id, three = (await c.NodeAsync("node-3")).Id;
        await c.CreateAsync("move", Sleep, "--replicas", "6");
        IReadOnlyList<SwarmTask> before = await c.RunsAsync("move", 6);

        await c.OkAsync("node", "drain", "node-2");
        await c.RunsAsync("move", 6, t => t.NodeId != two);
        await Wait.Until("the processes of the drained node end", () => before.Where(t => t.NodeId == two).All(t => !Posix.Runs(t.Status.Container.Pid)));
        Assert.Matches("node-2 +ACCEPTED +READY +DRAIN", await c.OkAsync("node", "ls"));
        await c.OkAsync("node", "activate", "node-2");

        await c.OkAsync("node", "pause", "node-3");
        IReadOnlyList<SwarmTask> old = await c.RunningAsync("move");
        await c.OkAsync("service", "update", "move", "--replicas", "9");
        IReadOnlyList<SwarmTask> now = await c.RunsAsync("move", 9);
        Assert.Equal(old.Count(t => t.NodeId == three), now.Count(t => t.NodeId == three));
        await c.OkAsync("node", "activate", "node-3");
        await c.RemoveAsync("move");
    }

    [Fact]
    public async Task Secrets_and_configs_arrive_where_a_task_runs_and_vanish_with_it()
    {
        SkepCluster c = await nodes.GetAsync();
        (await c.CtlWithInputAsync("s3cret-of-the-hive", "secret", "create", "pass")).Ok.ToString();
        (await c.CtlWithInputAsync("listen=1", "config", "create", "conf")).Ok.ToString();
        await c.CreateAsync(
            "reader", "cat /run/secrets/pass /run/secrets/listen.conf; echo; exec sleep 100000", "--secret", "pass", "--config", "conf:/run/secrets/listen.conf");
        SwarmTask task = (await c.RunsAsync("reader", 1)).Single();
        string said = "";
        await Wait.Until(
            "the task shows what it was given",
            async () => (said = await c.OkAsync("service", "logs", "reader")).Contains("s3cret-of-the-hivelisten=1", StringComparison.Ordinal),
            () => Task.FromResult(said));

        Assert.DoesNotContain("s3cret", (await c.OkAsync("secret", "inspect", "pass")) + (await c.OkAsync("secret", "inspect", "--format", "json", "pass")), StringComparison.Ordinal);
        Said inUse = await c.CtlAsync("secret", "remove", "pass");
        Assert.Equal(255, inUse.Exit);
        Assert.Contains("secret 'pass' is in use by the following service: reader", inUse.Errors, StringComparison.Ordinal);
        Assert.True(File.Exists($"/proc/{task.Status.Container.Pid}/root/run/secrets/pass"));

        await c.RemoveAsync("reader");
        await c.OkAsync("secret", "remove", "pass");
        await c.OkAsync("config", "remove", "conf");
        foreach (string root in (string[])["/run", "/dev/shm", c.Folder])
        {
            Said found = await Shell.RunAsync("/bin/sh", ["-c", $"grep -rls s3cret-of-the-hive {root} --include=pass --include='*{task.Id}*'"]);
            Assert.Equal("", found.Output);
        }
    }

    private static string Plain(string text)
    {
        text = Id().Replace(Token().Replace(text.TrimEnd(), "SWMTKN-1-TOKEN"), "ID");
        return string.Join('\n', text.Split('\n').Select(l => l.TrimEnd()));
    }

    // A list of nodes with ids hidden but columns kept, the nodes by name.
    private static string Sorted(string table)
    {
        string[] lines = [.. table.TrimEnd().Split('\n').Select(l => Id().Replace(l, "ID".PadRight(25)).TrimEnd())];
        return string.Join('\n', lines[..2].Concat(lines[2..].Order(StringComparer.Ordinal)));
    }

    [GeneratedRegex("\\b[0-9a-z]{25}\\b(?!-)")]
    private static partial Regex Id();

    [GeneratedRegex("SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}")]
    private static partial Regex Token();
}
