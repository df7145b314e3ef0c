using Skep.Coordination.Client.Tests.Infrastructure;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests;

public sealed class Transactions(ServerFixture fixture) : ServerTest(fixture)
{
    [Fact]
    public async Task All_is_done_together()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/old");
        IReadOnlyList<TransactionResult> results = await client.MultiAsync(new Transaction()
            .Create("/a", Bytes("x"))
            .Create("/a/s-", mode: CreateMode.EphemeralSequential)
            .Create("/t", mode: CreateMode.PersistentWithTtl, ttl: TimeSpan.FromHours(1))
            .Create("/c", mode: CreateMode.Container)
            .SetData("/a", Bytes("yz"), 0)
            .Check("/a", 1)
            .Delete("/old"));
        Assert.Equal(["/a", "/a/s-0000000000", "/t", "/c", "/a", "/a", "/old"], results.Select(r => r.Path));
        Assert.Equal(2, results[4].Stat.DataLength);
        Assert.Null(await client.ExistsAsync("/old"));
        Assert.Single(results.Select(r => r.Stat.Mzxid).Where(z => z != 0).Distinct());
    }

    [Fact]
    public async Task Of_one_that_cannot_be_nothing_is_done_and_it_says_why()
    {
        CoordinationClient client = await ConnectAsync();
        var failed = await Assert.ThrowsAsync<MultiException>(() => client.MultiAsync(new Transaction().Create("/a").Check("/a", 7).Delete("/b")));
        Assert.Equal(1, failed.FailedIndex);
        Assert.Equal(OpCode.Check, failed.FailedOperation);
        Assert.Equal(ErrorCode.BadVersion, failed.ErrorCode);
        Assert.Equal("nothing of the transaction was done: operation 1: Check /a: the version given is not the node's", failed.Message);
        Assert.Null(await client.ExistsAsync("/a"));
    }

    [Fact]
    public async Task Reads_in_one_request_have_a_result_each()
    {
        CoordinationClient client = await ConnectAsync();
        await client.CreateAsync("/a", Bytes("x"));
        await client.CreateAsync("/a/b");
        IReadOnlyList<BatchResult> results = await client.MultiReadAsync(new ReadBatch().GetData("/a").GetData("/none").GetChildren("/a"));
        Assert.Equal([ErrorCode.Ok, ErrorCode.NoNode, ErrorCode.Ok], results.Select(r => r.Error));
        Assert.Equal("x", Text(results[0].Data));
        Assert.Equal(["b"], results[2].Children);
    }
}
