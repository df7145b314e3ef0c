using System.Text.Json;
using Skep.Coordination.Client;
using Skep.Coordination.Tests.Differential;

namespace Swarmctl.Tests.Coordination;

public sealed class Commands_on_a_tree
{
    [Fact]
    public async Task A_tree_is_made_looked_at_changed_watched_and_removed()
    {
        using RealZooKeeper server = RealZooKeeper.StartOrSkip("4lw.commands.whitelist=dump,cons\nmaxClientCnxns=0\n");
        string address = $"127.0.0.1:{server.Port}";
        await using CoordinationClient other = await CoordinationClient.ConnectAsync(new CoordinationClientOptions { Servers = [address], ConnectTimeout = TimeSpan.FromSeconds(60) });
        var command = new Command(address);

        Assert.Equal("/app/config/a\n", await command.OutputAsync("create", "/app/config/a", "hello", "--parents"));
        Assert.Equal("/app/q-0000000001\n", await command.OutputAsync("create", "/app/q-", "--sequential", "--ttl", "1h"));
        Assert.Equal("/app/c\n", await command.WithInputAsync("by pipe", "create", "/app/c", "-", "--container", "--acl", "world:anyone:r,ip:127.0.0.1:cdrwa"));
        Assert.Equal("by pipe", await command.OutputAsync("get", "/app/c"));
        Assert.Equal("c\nconfig\nq-0000000001\n", await command.OutputAsync("ls", "/app/"));
        Assert.Equal("/app\n/app/c\n/app/config\n/app/config/a\n/app/q-0000000001\n", await command.OutputAsync("ls", "/app", "-R"));
        Assert.Matches("(?m)^config +0 +0 +1 +20\\S+Z *$", await command.OutputAsync("ls", "/app", "--stat"));
        Assert.Equal("""[{"path":"/app/config/a"}]""" + "\n", await command.OutputAsync("ls", "/app/config", "--format", "json"));

        Assert.Equal("1\n", await command.OutputAsync("set", "/app/config/a", "bonjour", "--version", "0"));
        Assert.Contains("version", await command.ErrorAsync("set", "/app/config/a", "salut", "--version", "0"), StringComparison.Ordinal);
        using (JsonDocument got = JsonDocument.Parse(await command.OutputAsync("get", "/app/config/a", "--stat", "--format", "json")))
        {
            Assert.Equal("bonjour", got.RootElement.GetProperty("data").GetString());
            Assert.Equal(1, got.RootElement.GetProperty("stat").GetProperty("version").GetInt32());
        }
        await other.SetDataAsync("/app/config/a", new byte[] { 0xff, 0 });
        Assert.Equal("""{"path":"/app/config/a","data_base64":"/wA="}""" + "\n", await command.OutputAsync("get", "/app/config/a", "--format", "json"));
        string stat = await command.OutputAsync("stat", "/app/c");
        Assert.Contains("7 bytes", stat, StringComparison.Ordinal);
        Assert.Contains("world:anyone:r, ip:127.0.0.1:cdrwa", stat, StringComparison.Ordinal);

        await WatchesAsync(command, other);

        await other.CreateAsync("/app/lock", mode: CreateMode.Ephemeral);
        string sessions = await command.OutputAsync("sessions");
        Assert.Contains($"0x{other.SessionId:x}  30000 ms  127.0.0.1:", sessions, StringComparison.Ordinal);
        Assert.Contains("  /app/lock\n", sessions, StringComparison.Ordinal);

        Assert.Contains("has children", await command.ErrorAsync("rm", "/app"), StringComparison.Ordinal);
        Assert.Equal("", await command.OutputAsync("rm", "/app/config/a", "--version", "2"));
        await command.OutputAsync("rm", "-r", "/app");
        Assert.Equal("zookeeper\n", await command.OutputAsync("ls"));
        Assert.Contains("does not exist", await command.ErrorAsync("rm", "-r", "/app"), StringComparison.Ordinal);
        await command.OutputAsync("create", "/chroot");
        Assert.Equal("", await new Command(address + "/chroot").OutputAsync("ls", "/"));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_in_one_line_at_once()
    {
        string error = await new Command("127.0.0.1:1").ErrorAsync("ls");
        Assert.Equal(
            "Error: no coordination service answers at 127.0.0.1:1: nothing listens there. Is it served there (`swarmd --coordination 2181`), without TLS? --server or $SWARM_COORDINATION name another\n",
            error);
        Assert.Contains("no coordination service answers", await new Command("127.0.0.1:1").ErrorAsync("sessions"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("session ends with the command", "create", "/a", "--ephemeral")]
    [InlineData("begins with a slash", "get", "a")]
    [InlineData("expected: swarmctl coordination set PATH DATA", "set", "/a")]
    [InlineData("for --acl: expected scheme:identity:permissions", "create", "/a", "--acl", "world:anyone")]
    [InlineData("for --ttl: expected a duration", "create", "/a", "--ttl", "0s")]
    [InlineData("--container excludes", "create", "/a", "--container", "--sequential")]
    [InlineData("for --auth: expected scheme:proof", "ls", "--auth", "hunter2")]
    [InlineData("--tls-cert and --tls-key", "ls", "--tls-cert", "x")]
    [InlineData("no such file or folder", "import", "/missing")]
    public async Task What_cannot_be_is_refused_with_the_reason(string reason, params string[] args) =>
        Assert.Contains(reason, await new Command("127.0.0.1:1").ErrorAsync(args), StringComparison.Ordinal);

    private static async Task WatchesAsync(Command command, CoordinationClient other)
    {
        Task<string> watching = command.OutputAsync("watch", "/app", "-R", "--count", "3");

        // It stands when the server says so, which shows in what the watcher sees only: change until it has seen enough.
        for (int i = 0; !watching.IsCompleted; i++)
        {
            await other.CreateAsync($"/app/w{i}");
            await other.DeleteAsync($"/app/w{i}");
        }
        string[] lines = (await watching).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, static l => Assert.Matches(@"^\S+Z  (created|deleted)  /app/w\d+$", l));
    }
}
