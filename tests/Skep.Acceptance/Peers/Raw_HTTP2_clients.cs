using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Peers;

public sealed class Raw_HTTP2_clients(OneNode node) : IClassFixture<OneNode>, IAsyncDisposable
{
    private const string ListNodes = "/docker.swarmkit.v1.Control/ListNodes";
    private static readonly byte[] NoMessage = [0, 0, 0, 0, 0];

    public ValueTask DisposeAsync() => new(node.TellAsync());

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_call_whose_authority_is_the_path_of_the_socket_is_answered(bool tls, bool huffman)
    {
        SkepCluster c = await node.GetAsync();
        Stream stream = await RawHttp2.UnixAsync(c.Socket);
        await using var client = new RawHttp2(tls ? await RawHttp2.TlsAsync(stream) : stream);
        await client.PrefaceAsync();
        byte[] authority = huffman ? RawHttp2.HuffmanPath() : RawHttp2.Plain(c.Socket);
        await client.FrameAsync(RawHttp2.Headers, RawHttp2.EndHeaders, 1, RawHttp2.Call(ListNodes, authority));
        await client.FrameAsync(RawHttp2.Data, RawHttp2.EndStream, 1, NoMessage);
        Assert.True(await client.AnswerAsync(1) > 50);
    }

    [Fact]
    public async Task A_block_with_padding_a_table_size_and_a_continuation_is_answered()
    {
        SkepCluster c = await node.GetAsync();
        await using var client = new RawHttp2(await RawHttp2.UnixAsync(c.Socket));
        await client.PrefaceAsync();
        byte[] block = [0x20, .. RawHttp2.Call(ListNodes, RawHttp2.HuffmanPath())];
        await client.FrameAsync(RawHttp2.Headers, RawHttp2.Padded, 1, [7, .. block[..20], 0, 0, 0, 0, 0, 0, 0]);
        await client.FrameAsync(RawHttp2.Continuation, RawHttp2.EndHeaders, 1, block[20..]);
        await client.FrameAsync(RawHttp2.Data, RawHttp2.EndStream, 1, NoMessage);
        Assert.True(await client.AnswerAsync(1) > 50);
    }

    [Fact]
    public async Task An_index_into_the_dynamic_table_ends_the_connection()
    {
        SkepCluster c = await node.GetAsync();
        await using var client = new RawHttp2(await RawHttp2.UnixAsync(c.Socket));
        await client.PrefaceAsync();
        await client.FrameAsync(RawHttp2.Headers, RawHttp2.EndHeaders, 1, [.. RawHttp2.Call(ListNodes, RawHttp2.Plain(c.Socket)), 0xbe]);
        await client.FrameAsync(RawHttp2.Data, RawHttp2.EndStream, 1, NoMessage);
        Assert.Null(await client.AnswerAsync(1));
        await c.OkAsync("node", "ls");
    }

    [Fact]
    public async Task Garbage_and_frames_too_large_end_their_connections_only()
    {
        SkepCluster c = await node.GetAsync();
        var random = new Random(17);
        foreach (byte first in (byte[])[0x00, 0x16, (byte)'P', (byte)'G', 0xff])
        {
            byte[] garbage = new byte[4096];
            random.NextBytes(garbage);
            garbage[0] = first;
            foreach (Stream stream in (Stream[])[await RawHttp2.UnixAsync(c.Socket), await RawHttp2.TcpAsync(c.Address)])
            {
                await using var client = new RawHttp2(stream);
                await ClosedAsync(client, () => stream.WriteAsync(garbage).AsTask());
            }
        }
        foreach (Stream stream in (Stream[])[await RawHttp2.UnixAsync(c.Socket), await RawHttp2.TlsAsync(await RawHttp2.TcpAsync(c.Address))])
        {
            await using var client = new RawHttp2(stream);
            await ClosedAsync(client, async () =>
            {
                await client.PrefaceAsync();
                await client.FrameAsync(RawHttp2.Headers, RawHttp2.EndHeaders, 1, new byte[0xffffff]);
            });
        }
        await c.OkAsync("node", "ls");
    }

    [Fact]
    public async Task A_thousand_idle_connections_and_clients_that_never_read_hold_nobody_up()
    {
        SkepCluster c = await node.GetAsync();
        List<Stream> idle = [];
        try
        {
            for (int i = 0; i < 500; i++)
            {
                idle.Add(await RawHttp2.UnixAsync(c.Socket));
                idle.Add(await RawHttp2.TcpAsync(c.Address));
            }
            var deaf = new RawHttp2(await RawHttp2.UnixAsync(c.Socket));
            idle.Add(deaf.Stream);
            await deaf.PrefaceAsync();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                for (int id = 1; id < 2000 && !patience.IsCancellationRequested; id += 2)
                {
                    await deaf.FrameAsync(RawHttp2.Headers, RawHttp2.EndHeaders, id, RawHttp2.Call(ListNodes, RawHttp2.Plain(c.Socket))).WaitAsync(patience.Token);
                    await deaf.FrameAsync(RawHttp2.Data, RawHttp2.EndStream, id, NoMessage).WaitAsync(patience.Token);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // Closed, or held back.
            }
            await c.OkAsync("service", "create", "--name", "meanwhile", "--image", "redis", "--replicas", "0");
            await c.RemoveAsync("meanwhile");
            Assert.Contains("READY", await c.OkAsync("node", "ls"), StringComparison.Ordinal);
        }
        finally
        {
            idle.ForEach(s => s.Dispose());
        }
        Assert.True(c.Manager.Runs);
    }

    private static async Task ClosedAsync(RawHttp2 client, Func<Task> write)
    {
        try
        {
            await write();
            Assert.Null(await client.AnswerAsync(1));
        }
        catch (IOException)
        {
            // Closed while it wrote.
        }
    }
}
