using Skep.Coordination.Client.Tests.Infrastructure;

namespace Skep.Coordination.Client.Tests;

public sealed class Servers_without_a_majority
{
    [Fact]
    public async Task Their_session_is_left_for_a_new_one_as_soon_as_a_server_takes_writes()
    {
        await using var server = new LonelyServer();
        var options = new CoordinationClientOptions { Servers = [server.Address], ReadOnlyAllowed = true };
        await using CoordinationClient client = await CoordinationClient.ConnectAsync(options).Within("a read-only session");
        Assert.Equal((ConnectionState.ConnectedReadOnly, 7), (client.State, client.SessionId));
        server.IsReadOnly = "rw";
        await client.Reached(ConnectionState.Connected);
        Assert.Equal(8, client.SessionId);
        Assert.Equal([0, 0], server.Asked.Select(a => a.SessionId));
        Assert.All(server.Asked, a => Assert.True(a.ReadOnly));
    }
}
