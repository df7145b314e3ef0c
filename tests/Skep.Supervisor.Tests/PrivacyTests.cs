using System.Text;
using Skep.Supervisor.Protocol;
using static Skep.Supervisor.Tests.SupervisorHarness;

namespace Skep.Supervisor.Tests;

public sealed class PrivacyTests
{
    [Fact]
    public async Task Secrets_are_the_tasks_alone_and_gone_when_it_ends()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("with",
            "cat /run/secrets/db/password; stat -c '%u %g %a' /run/secrets/db/password; id -u; "
            + "echo x 2>/dev/null > /run/secrets/new || echo read-only; echo ready; sleep 1000") with
        {
            Files =
            [
                new PrivateFile("db/password", "hunter2\n"u8.ToArray(), StartRequest.TaskOwnId, StartRequest.TaskOwnId, 0x120),
                new PrivateFile("other", "not for you\n"u8.ToArray(), 0, 0, 0x100),
            ],
        }, h.Ct);
        await h.LineOf("with", "ready");
        var lines = (await h.LogOf("with", new LogRequest("with"))).Split('\n');
        Assert.Equal("hunter2", lines[0]);
        Assert.Equal($"{lines[2]} {lines[2]} 440", lines[1]);
        Assert.Equal("read-only", lines[3]);

        Assert.False(File.Exists("/run/secrets/db/password"));
        await h.RunAsync(Shell("without", "ls /run/secrets/db 2>/dev/null || echo nothing"));
        Assert.Equal("nothing\n", await h.LogOf("without"));

        var pid = (await h.Client.FindAsync("with", h.Ct))!.Pid;
        Assert.Equal("not for you\n", File.ReadAllText($"/proc/{pid}/root/run/secrets/other"));
        await h.Client.RemoveAsync("with", h.Ct);
        Assert.DoesNotContain("/run/secrets", File.ReadAllText("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", string.Concat(
            Directory.EnumerateFiles(h.StateDir, "*", SearchOption.AllDirectories)
                .Where(path => !path.EndsWith(".sock", StringComparison.Ordinal) && !path.EndsWith(".lock", StringComparison.Ordinal)).Select(File.ReadAllText)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_of_no_bytes_is_an_empty_file()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "wc -c < /run/secrets/empty; wc -c < /run/secrets/big") with
        {
            Files =
            [
                new PrivateFile("empty", [], StartRequest.TaskOwnId, StartRequest.TaskOwnId, 0x124),
                new PrivateFile("big", new byte[1_000_000], StartRequest.TaskOwnId, StartRequest.TaskOwnId, 0x124),
            ],
        });
        Assert.Equal("0\n1000000\n", await h.LogOf("t"));
    }

    [Fact]
    public async Task A_read_only_task_writes_only_to_its_mounts()
    {
        await using var h = new SupervisorHarness();
        var shared = Directory.CreateDirectory(h.StateDir + "/shared").FullName;
        File.WriteAllText(shared + "/file", "bound\n");
        await h.RunAsync(Shell("t",
            "touch /root/x 2>&1 | grep -o 'Read-only file system'; echo y > /tmp/y && cat /tmp/y; cat /mnt/file; touch /mnt/z 2>&1 | grep -o 'Read-only file system'; df -k /tmp | tail -1 | awk '{print $2}'; echo ok > /dev/null && echo dev") with
        {
            Uid = 0,
            Gid = 0,
            ReadOnlyRoot = true,
            Mounts =
            [
                new TaskMount(shared, "/mnt", true, false, 0, 0),
                new TaskMount("", "/tmp", false, false, 1024 * 1024, 0x3FF),
            ],
        });
        Assert.Equal("Read-only file system\ny\nbound\nRead-only file system\n1024\ndev\n", await h.LogOf("t"));
        Assert.False(File.Exists("/tmp/y"));
    }

    [Fact]
    public async Task Capabilities_asked_for_and_no_others_are_given()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "grep -E 'CapEff|CapBnd|CapAmb' /proc/self/status") with { Uid = 1234, Gid = 1234, Capabilities = 1 << 10 });
        Assert.Equal(
            "CapEff:\t0000000000000400\nCapBnd:\t0000000000000400\nCapAmb:\t0000000000000400\n", await h.LogOf("t"));
    }

    [Fact]
    public async Task One_task_cannot_signal_another()
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("victim", "sleep 1000"), h.Ct);
        var pid = (await h.Client.FindAsync("victim", h.Ct))!.Pid;
        var end = await h.RunAsync(Shell("villain", $"kill -9 {pid}"));
        Assert.NotEqual(0, end.ExitCode);
        Assert.True(StoppingTests.Alive(pid.ToString()));
    }

    [Fact]
    public async Task Nobody_else_gets_to_the_socket_or_the_logs()
    {
        await using var h = new SupervisorHarness();
        await h.RunAsync(Shell("t", "true"));
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Owner, File.GetUnixFileMode(h.StateDir + "/supervisor.sock"));
        Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(h.StateDir + "/processes"));
    }
}
