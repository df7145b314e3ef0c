using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Refusals;

public sealed class Bad_input(OneNode node) : IClassFixture<OneNode>, IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(node.TellAsync());

    [Theory]
    [InlineData("--replicas", "--image redis --replicas -1")]
    [InlineData("--replicas", "--image redis --replicas many")]
    [InlineData("--replicas can only be specified in --mode replicated", "--image redis --mode global --replicas 2")]
    [InlineData("\"sometimes\" for --mode", "--image redis --mode sometimes")]
    [InlineData("invalid constraint \"node.role\"", "--image redis --constraint node.role")]
    [InlineData("\"web:http\" for --ports", "--image redis --ports web:http")]
    [InlineData("\"web:80/icmp\" for --ports", "--image redis --ports web:80/icmp")]
    [InlineData("\"web:70000\" for --ports", "--image redis --ports web:70000")]
    [InlineData("\"soon\" for --update-delay", "--image redis --update-delay soon")]
    [InlineData("\"never\" for --restart-condition", "--image redis --restart-condition never")]
    [InlineData("\"redis:::\" is not a valid repository/tag", "--image redis:::")]
    [InlineData("Must be at least 4MiB", "--image redis --memory-limit 1m")]
    [InlineData("\"lots\" for --memory-limit", "--image redis --memory-limit lots")]
    [InlineData("--cpu-limit", "--image redis --cpu-limit -1")]
    [InlineData("secret not found: none", "--image redis --secret none")]
    [InlineData("--image", "")]
    [InlineData("--unheard-of", "--image redis --unheard-of 1")]
    public async Task A_service_that_cannot_be_is_refused_by_name_and_not_created(string says, string flags)
    {
        SkepCluster c = await node.GetAsync();
        Said said = await c.CtlAsync(["service", "create", "--name", "refused", .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Equal(255, said.Exit);
        Assert.StartsWith("Error: ", said.Errors, StringComparison.Ordinal);
        Assert.Contains(says, said.Errors, StringComparison.Ordinal);
        Assert.Equal("", said.Output);
        Assert.DoesNotContain("refused", await c.OkAsync("service", "ls"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("-dash")]
    [InlineData("dot.ted")]
    [InlineData("a123456789b123456789c123456789d123456789e123456789f123456789g1234")]
    public async Task A_name_that_is_no_name_is_refused(string name)
    {
        SkepCluster c = await node.GetAsync();
        Said said = await c.CtlAsync("service", "create", "--name=" + name, "--image", "redis");
        Assert.Equal(255, said.Exit);
        Assert.Matches("^Error: name must be ", said.Errors);
        Assert.DoesNotContain(name, await c.OkAsync("service", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_is_given_once()
    {
        SkepCluster c = await node.GetAsync();
        await c.OkAsync("service", "create", "--name", "once", "--image", "redis", "--replicas", "0");
        Said said = await c.CtlAsync("service", "create", "--name", "ONCE", "--image", "redis");
        Assert.Equal(255, said.Exit);
        Assert.Matches("^Error: name conflicts with an existing object", said.Errors);
        Assert.Single((await c.OkAsync("service", "ls", "-q")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        await c.RemoveAsync("once");
    }

    [Theory]
    [InlineData("Error: service nobody not found", "service", "inspect", "nobody")]
    [InlineData("Error: node nobody not found", "node", "drain", "nobody")]
    [InlineData("Error: task nobody not found", "task", "inspect", "nobody")]
    [InlineData("Error: ", "service", "inspect")]
    public async Task What_is_not_there_is_named(string says, params string[] command)
    {
        Said said = await (await node.GetAsync()).CtlAsync(command);
        Assert.Equal(255, said.Exit);
        Assert.StartsWith(says, said.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_where_nobody_listens_is_named()
    {
        Said said = await (await node.GetAsync()).CtlAsync("-s", "/tmp/nobody-listens-here.sock", "node", "ls");
        Assert.Equal(255, said.Exit);
        Assert.StartsWith("Error: ", said.Errors, StringComparison.Ordinal);
        Assert.Contains("/tmp/nobody-listens-here.sock", said.Errors, StringComparison.Ordinal);
    }
}
