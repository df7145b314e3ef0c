using Docker.Swarmkit.V1;
using static Skep.Agent.Tests.Executors.Docker.DockerRun;

namespace Skep.Agent.Tests.Executors.Docker;

public sealed class ContainerLogTests(EngineFixture fixture)
{
    [Fact]
    public async Task Lines_come_with_their_stream_and_time()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var task = Shell("echo out; echo err >&2");
        await run.OutputOfAsync(task);
        var messages = await MessagesOfAsync(run.Controller(task));
        Assert.Contains(messages, m => m.Stream == LogStream.Stdout && m.Data.ToStringUtf8() == "out\n");
        Assert.Contains(messages, m => m.Stream == LogStream.Stderr && m.Data.ToStringUtf8() == "err\n");
        Assert.All(messages, m => Assert.InRange(m.Timestamp.ToDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(1)));
    }

    [Fact]
    public async Task Streams_tail_and_since_choose_what_is_read()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var task = Shell("echo e >&2; sleep 0.1; echo 1; echo 2; echo 3; sleep 0.05; echo 4");
        await run.OutputOfAsync(task);
        var controller = run.Controller(task);
        Assert.Equal("e\n", await LogOfAsync(controller, new LogSubscriptionOptions { Streams = { LogStream.Stderr } }));
        Assert.Equal("3\n4\n", await LogOfAsync(controller, new LogSubscriptionOptions { Streams = { LogStream.Stdout }, Tail = -3 }));
        Assert.Equal("3\n4\n", await LogOfAsync(controller, new LogSubscriptionOptions { Streams = { LogStream.Stdout }, Tail = 2 }));
        var last = (await MessagesOfAsync(controller, new LogSubscriptionOptions { Streams = { LogStream.Stdout } }))[^1].Timestamp;
        Assert.Equal("4\n", await LogOfAsync(controller, new LogSubscriptionOptions { Since = last }));
    }

    [Fact]
    public async Task Following_begins_before_the_container_does_and_ends_with_it()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var task = Shell("echo one; sleep 0.3; echo two");
        var controller = run.Controller(task);
        var log = LogOfAsync(controller, new LogSubscriptionOptions { Follow = true });
        await controller.PrepareAsync(Within());
        await controller.StartAsync(Within());
        Assert.Equal("one\ntwo\n", await log);
    }

    [Fact]
    public async Task A_terminal_has_one_stream_of_lines()
    {
        await using var run = new DockerRun(await fixture.GetAsync());
        var task = Shell("echo a; echo b >&2", t => t.Spec.Container.Tty = true);
        await run.OutputOfAsync(task);
        var messages = await MessagesOfAsync(run.Controller(task));
        Assert.Equal(["a\r\n", "b\r\n"], messages.Select(m => m.Data.ToStringUtf8()));
        Assert.All(messages, m => Assert.Equal(LogStream.Stdout, m.Stream));
    }
}
