using System.Buffers.Binary;
using System.Net.Sockets;
using Skep.Acceptance.Harness;
using Skep.Coordination.Client;
using Skep.Jute;

namespace Skep.Acceptance.Coordination;

/// <summary>Requests as long as one entry of the managers' log can be, at a manager that has to hand them on.</summary>
public sealed class Requests_near_the_limit
{
    private const int Most = 4_193_280;

    // Of a frame with setData: its header, the path and its length, the data's length, the version.
    private const int Around = 8 + 4 + 5 + 4 + 4;

    // Of one with a multi of two: its header and end, and each part's header with what is around its data.
    private const int AroundTwo = 8 + 9 + (2 * (9 + Around - 8));

    [Fact]
    public async Task What_fits_is_read_back_everywhere_and_a_byte_more_ends_one_connection_and_nothing_else()
    {
        await using SkepServers servers = await SkepServers.StartAsync(3, ["--coordination-max-buffer-bytes", $"{Most}"]);
        try
        {
            Daemon leader = await servers.LeaderAsync();
            Daemon follower = servers.Daemons.First(d => d != leader);
            var readers = new List<CoordinationClient>();
            foreach (Daemon server in servers.Daemons)
            {
                readers.Add(await ConnectAsync(servers.AddressOf(server)));
            }
            await using CoordinationClient bystander = await ConnectAsync(servers.AddressOf(follower));
            Task<List<ConnectionState>> states = StatesAsync(bystander);
            await using CoordinationClient writer = await ConnectAsync(servers.AddressOf(follower));
            await writer.CreateAsync("/one0");
            await writer.CreateAsync("/one1");

            byte[] whole = Bytes(Most - Around);
            await writer.SetDataAsync("/one0", whole);
            await ReadBackAsync(readers, "/one0", whole);

            byte[] first = Bytes((Most - AroundTwo) / 2), second = Bytes(Most - AroundTwo - first.Length);
            await writer.MultiAsync(new Transaction().SetData("/one0", first).SetData("/one1", second));
            await ReadBackAsync(readers, "/one0", first);
            await ReadBackAsync(readers, "/one1", second);

            await Assert.ThrowsAsync<ConnectionLossException>(() => writer.SetDataAsync("/one0", Bytes(whole.Length + 1)));
            await Assert.ThrowsAsync<ConnectionLossException>(() => writer.MultiAsync(new Transaction().SetData("/one0", first).SetData("/one1", Bytes(second.Length + 1))));
            Assert.Contains($"a frame says it has {Most + 1} bytes; 0 to {Most} are taken", follower.Log, StringComparison.Ordinal);
            foreach (int claimed in (int[])[Most + 1, int.MaxValue, -1])
            {
                await LetGoBeforeItSendsAsync(servers.AddressOf(follower), claimed);
            }
            // A name that would be longer in the log than it is on the way here.
            CoordinationException refused = await Assert.ThrowsAnyAsync<CoordinationException>(() => writer.AddAuthAsync(new AuthInfo("digest", Enumerable.Repeat((byte)0xff, Most / 2).ToArray())));
            Assert.Equal(ErrorCode.AuthFailed, refused.ErrorCode);

            await ReadBackAsync(readers, "/one0", first);
            await bystander.SetDataAsync("/one1", whole);
            await bystander.CloseAsync();
            Assert.Equal([ConnectionState.Connected, ConnectionState.Closed], await states);

            await follower.KillAsync();
            follower.Start();
            await servers.ServeAsync();
            await ReadBackAsync(readers, "/one1", whole);
            foreach (CoordinationClient reader in readers)
            {
                await reader.DisposeAsync();
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{await servers.LogsAsync()}", e);
        }
    }

    private static Task<CoordinationClient> ConnectAsync(string server) =>
        CoordinationClient.ConnectAsync(new CoordinationClientOptions { Servers = [server], MaxFrameBytes = 2 * Most }, TestContext.Current.CancellationToken);

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static async Task ReadBackAsync(List<CoordinationClient> readers, string path, byte[] expected)
    {
        foreach (CoordinationClient reader in readers)
        {
            await reader.SyncAsync(path);
            Assert.True((await reader.GetDataAsync(path)).Data.Span.SequenceEqual(expected), $"{path} holds other bytes than were written");
        }
    }

    private static async Task<List<ConnectionState>> StatesAsync(CoordinationClient client)
    {
        var states = new List<ConnectionState>();
        await foreach (ConnectionState state in client.StateChanges)
        {
            states.Add(state);
        }
        return states;
    }

    private static async Task LetGoBeforeItSendsAsync(string server, int claimed)
    {
        using var client = new TcpClient();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        string[] parts = server.Split(':');
        await client.ConnectAsync(parts[0], int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), patience.Token);
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, claimed);
        await client.GetStream().WriteAsync(length, patience.Token);
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], patience.Token));
    }
}
