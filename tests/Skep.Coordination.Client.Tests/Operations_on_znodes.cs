using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests;

public sealed class Operations_on_znodes(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task A_created_node_has_its_data_and_stat()
    {
        CoordinationClient client = await ConnectAsync();
        CreatedNode made = await client.CreateAsync("/a", Bytes("one"));
        Assert.Equal("/a", made.Path);
        Assert.Equal(3, made.Stat.DataLength);
        NodeData read = await client.GetDataAsync("/a");
        Assert.Equal("one", Text(read.Data));
        Assert.Equal(made.Stat, read.Stat);
        Assert.Equal(made.Stat, await client.ExistsAsync("/a"));
        Assert.Null(await client.ExistsAsync("/b"));
    }

    [Fact]
    public async Task Data_is_set_only_at_the_version_given()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/a");
        Assert.Equal(1, (await client.SetDataAsync("/a", Bytes("two"), 0)).Version);
        var refused = await Assert.ThrowsAsync<CoordinationException>(() => client.SetDataAsync("/a", Bytes("three"), 0));
        Assert.Equal(ErrorCode.BadVersion, refused.ErrorCode);
        Assert.Equal("/a", refused.Path);
        Assert.Equal("SetData /a: the version given is not the node's", refused.Message);
        await client.DeleteAsync("/a", 1);
        Assert.Null(await client.ExistsAsync("/a"));
    }

    [Fact]
    public async Task Children_are_named_without_their_path()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/a");
        await client.CreateAsync("/a/x");
        await client.CreateAsync("/a/y");
        await client.CreateAsync("/a/y/z");
        NodeChildren children = await client.GetChildrenAsync("/a");
        Assert.Equal(["x", "y"], children.Children.Order());
        Assert.Equal(2, children.Stat.NumChildren);
        Assert.Equal(3, await client.GetAllChildrenNumberAsync("/a"));
        Assert.Equal(ErrorCode.NotEmpty, (await Assert.ThrowsAsync<CoordinationException>(() => client.DeleteAsync("/a"))).ErrorCode);
        Assert.Contains("a", (await client.GetChildrenAsync("/")).Children);
    }

    [Fact]
    public async Task Each_mode_makes_its_kind_of_node()
    {
        CoordinationClient client = await ConnectAsync();
        Assert.Equal("/s-0000000000", (await client.CreateAsync("/s-", mode: CreateMode.PersistentSequential)).Path);
        CreatedNode ephemeral = await client.CreateAsync("/e-", mode: CreateMode.EphemeralSequential);
        Assert.Equal("/e-0000000001", ephemeral.Path);
        Assert.Equal(client.SessionId, ephemeral.Stat.EphemeralOwner);
        await client.CreateAsync("/e", mode: CreateMode.Ephemeral);
        Assert.Equal(["/e", "/e-0000000001"], (await client.GetEphemeralsAsync()).Order());
        await client.CreateAsync("/c", mode: CreateMode.Container);
        await client.CreateAsync("/t", mode: CreateMode.PersistentWithTtl, ttl: TimeSpan.FromHours(1));
        Assert.Equal("/t-0000000005", (await client.CreateAsync("/t-", mode: CreateMode.PersistentSequentialWithTtl, ttl: TimeSpan.FromHours(1))).Path);
        await Assert.ThrowsAsync<ArgumentException>(() => client.CreateAsync("/t2", mode: CreateMode.PersistentWithTtl));
        await Assert.ThrowsAsync<ArgumentException>(() => client.CreateAsync("/t2", ttl: TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task What_is_wrong_is_said_in_a_sentence()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/a");
        Assert.Equal("Create2 /a: the node exists already", (await Assert.ThrowsAsync<CoordinationException>(() => client.CreateAsync("/a"))).Message);
        Assert.Equal("Create2 /b/c: the parent does not exist", (await Assert.ThrowsAsync<CoordinationException>(() => client.CreateAsync("/b/c"))).Message);
        Assert.Equal("GetData /b: the node does not exist", (await Assert.ThrowsAsync<CoordinationException>(() => client.GetDataAsync("/b"))).Message);
        Assert.Throws<ArgumentException>(() => { _ = client.GetDataAsync("b"); });
    }

    [Fact]
    public async Task Access_is_what_the_acl_says()
    {
        CoordinationClient owner = await ConnectAsync(o => o with { Auth = [AuthInfo.Digest("ann", "secret")] });
        CoordinationClient other = await ConnectAsync();
        await owner.CreateAsync("/mine", Bytes("x"), acl: Acls.CreatorAll);
        Assert.Equal("digest", Assert.Single((await owner.GetAclAsync("/mine")).Acl).Id.Scheme);
        await SeesOthers(other);
        Assert.Equal(ErrorCode.NoAuth, (await Assert.ThrowsAsync<CoordinationException>(() => other.GetDataAsync("/mine"))).ErrorCode);
        await other.AddAuthAsync(AuthInfo.Digest("ann", "secret"));
        Assert.Equal("x", Text((await other.GetDataAsync("/mine")).Data));
        Assert.Contains(await other.WhoAmIAsync(), i => i is { AuthScheme: "digest", User: "ann" });
        Assert.Equal(1, (await owner.SetAclAsync("/mine", Acls.ReadOnly, 0)).Aversion);
        Assert.Equal(Acls.ReadOnly, (await owner.GetAclAsync("/mine")).Acl);
    }

    [Fact]
    public async Task An_identity_that_is_refused_is_told_of()
    {
        var refused = await Assert.ThrowsAsync<CoordinationException>(() => ConnectAsync(o => o with { Auth = [new AuthInfo("nonsense", Bytes("x"))] }));
        Assert.Equal(ErrorCode.AuthFailed, refused.ErrorCode);
        CoordinationClient client = await ConnectAsync();
        refused = await Assert.ThrowsAsync<CoordinationException>(() => client.AddAuthAsync(new AuthInfo("nonsense", Bytes("x"))));
        Assert.Equal(ErrorCode.AuthFailed, refused.ErrorCode);
        await client.SyncAsync("/").Within("the client goes on without the identity");
    }

    [Fact]
    public async Task Sync_and_the_configuration_are_answered()
    {
        CoordinationClient client = await ConnectAsync();
        await client.SyncAsync("/");
        Assert.True((await client.GetConfigAsync()).Stat.Czxid >= 0);
    }

    [Fact]
    public async Task Requests_are_answered_in_order_without_waiting_for_each_other()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/a");
        Task<Stat>[] writes = [.. Enumerable.Range(0, 2000).Select(i => client.SetDataAsync("/a", Bytes($"{i}"), i))];
        Task<NodeData> read = client.GetDataAsync("/a");
        Stat[] stats = await Task.WhenAll(writes).Within("2000 writes");
        Assert.Equal(Enumerable.Range(1, 2000), stats.Select(s => s.Version));
        Assert.Equal("1999", Text((await read).Data));
    }

    [Fact]
    public async Task More_requests_than_may_be_outstanding_wait_their_turn()
    {
        CoordinationClient client = await ConnectAsync(o => o with { MaxOutstandingRequests = 4 });
        CreatedNode[] made = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => client.CreateAsync($"/{i}"))).Within("100 creates");
        Assert.Equal(100, made.Length);
    }

    [Fact]
    public async Task Long_data_comes_back_whole()
    {
        CoordinationClient client = await ConnectAsync();
        byte[] data = new byte[900_000];
        new Random(1).NextBytes(data);
        await client.CreateAsync("/long", data);
        Assert.True((await client.GetDataAsync("/long")).Data.Span.SequenceEqual(data));
    }

    [Fact]
    public async Task An_answer_that_is_too_long_fails_its_request_and_no_other()
    {
        CoordinationClient client = await ConnectAsync(o => o with { MaxFrameBytes = 1_000 });
        await client.CreateAsync("/long", new byte[5_000]);
        Task<NodeData> tooLong = client.GetDataAsync("/long");
        Task<Stat?> after = client.ExistsAsync("/long");
        var refused = await Assert.ThrowsAsync<CoordinationException>(() => tooLong.Within("the long answer is refused"));
        Assert.Equal(ErrorCode.MarshallingError, refused.ErrorCode);
        Assert.Contains("0 to 1000 are taken (MaxFrameBytes)", refused.Message, StringComparison.Ordinal);
        Assert.Equal(5_000, (await after.Within("the request after it is answered"))!.Value.DataLength);
    }

    [Fact]
    public async Task A_closed_client_takes_its_ephemeral_nodes_along_and_refuses_requests()
    {
        CoordinationClient client = await ConnectAsync();
        CoordinationClient other = await ConnectAsync();
        await client.CreateAsync("/e", mode: CreateMode.Ephemeral);
        await client.CloseAsync().Within("client closes");
        Assert.Equal(ConnectionState.Closed, client.State);
        await SeesOthers(other);
        Assert.Null(await other.ExistsAsync("/e"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ExistsAsync("/e"));
        await client.DisposeAsync();
    }
}
