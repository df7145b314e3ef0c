using System.Net.Sockets;
using System.Text;

namespace Skep.Coordination.Client.Session;

/// <summary>While a server without a majority is all there is, asks the servers in turn whether one has it (the four letters <c>isro</c>).</summary>
internal static class WritableSearch
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(2);

    /// <summary>Ends with a server that takes writes.</summary>
    public static async Task<ServerAddress> FindAsync(IReadOnlyList<ServerAddress> servers, CoordinationClientOptions options, CancellationToken ct)
    {
        for (TimeSpan wait = Least; ; wait = wait * 2 < Most ? wait * 2 : Most)
        {
            await Task.Delay(wait, options.TimeProvider, ct);
            foreach (ServerAddress server in servers)
            {
                if (await IsWritableAsync(server, options, ct))
                {
                    return server;
                }
            }
        }
    }

    private static async Task<bool> IsWritableAsync(ServerAddress server, CoordinationClientOptions options, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(AnswerPatience, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            await using Stream stream = await Handshake.DialAsync(server, options, either.Token);
            await stream.WriteAsync("isro"u8.ToArray(), either.Token);
            byte[] answer = new byte[2];
            await stream.ReadExactlyAsync(answer, either.Token);
            return Encoding.ASCII.GetString(answer) == "rw";
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }
}
