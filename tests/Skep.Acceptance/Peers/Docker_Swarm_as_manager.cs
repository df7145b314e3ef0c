using Skep.Acceptance.Harness;
using Skep.TestEngine;

namespace Skep.Acceptance.Peers;

public sealed class Docker_Swarm_as_manager
{
    [Fact]
    public async Task Our_swarmctl_drives_it_and_our_swarmd_works_for_it()
    {
        Assert.SkipWhen(DockerEngine.WhyNot is not null, DockerEngine.WhyNot ?? "");
        Programs.Need();
        using NetworkNamespace network = NetworkNamespace.Create();
        await using DockerEngine engine = await DockerEngine.StartAsync(network.Wrapper);
        (await Docker_Engine_as_worker.DockerAsync(engine, "swarm", "init", "--advertise-addr", network.Inside)).Ok.ToString();
        string socket = Path.Combine(engine.Folder, "exec", "swarm", "control.sock");

        await using var c = new SkepCluster(network.Outside);
        async Task<string> CtlAsync(params string[] arguments) => (await c.CtlAsync(["-s", socket, .. arguments])).Ok;
        Assert.Matches(@"[0-9a-z]{25} +\S+ +ACCEPTED +READY +ACTIVE +REACHABLE \*", await CtlAsync("node", "ls"));

        string token = (await Docker_Engine_as_worker.DockerAsync(engine, "swarm", "join-token", "-q", "worker")).Ok.Trim();
        Daemon worker = c.Add(
            "skep-worker", "--join-addr", network.Inside + ":2377", "--join-token", token, "--engine-addr", "unix://" + engine.Socket,
            "--listen-control-api", Path.Combine(c.Folder, "worker", "swarm.sock")).Start();
        await Wait.Until("our node is READY in the Docker Swarm", async () => (await CtlAsync("node", "ls")).Split('\n').Any(l => l.Contains("skep-worker", StringComparison.Ordinal) && l.Contains("READY", StringComparison.Ordinal)), c.LogsAsync);

        string id = (await CtlAsync("service", "create", "--name", "box", "--image", "busybox:latest", "--command", "sleep", "--args", "100000", "--constraint", "node.hostname==skep-worker")).Trim();
        await Wait.Until(
            "its task runs on our node",
            async () => (await CtlAsync("service", "inspect", "box")).Contains("RUNNING", StringComparison.Ordinal) && (await CtlAsync("service", "ls")).Contains("1/1", StringComparison.Ordinal),
            async () => await CtlAsync("service", "inspect", "--all", "box") + await c.LogsAsync());
        string inspected = await CtlAsync("service", "inspect", "box");
        Assert.Contains(id, inspected, StringComparison.Ordinal);
        Assert.Matches(@"box +1 +busybox:latest\S* +RUNNING +RUNNING .* skep-worker", inspected);
        Assert.Single(await engine.ContainersAsync());
        await CtlAsync("service", "remove", "box");
        await Wait.Until("its container is gone", async () => (await engine.ContainersAsync()).Count == 0, c.LogsAsync);
        await worker.DisposeAsync();
    }
}
