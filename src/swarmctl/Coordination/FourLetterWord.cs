using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Skep.Coordination.Client;

namespace Swarmctl.Coordination;

/// <summary>Asks a server one of ZooKeeper's four-letter words.</summary>
internal static class FourLetterWord
{
    private const int MaxAnswerBytes = 64 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The answer of the first server that gives one; null where it does not answer this word.</summary>
    /// <exception cref="UserException">No server can be reached.</exception>
    public static async Task<string?> AskAsync(CoordinationClientOptions options, string word, CancellationToken ct)
    {
        string reason = "";
        foreach (string server in options.Servers)
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
            late.CancelAfter(Patience);
            try
            {
                string answer = await AskAsync(server, options.Tls, word, late.Token);
                return answer.Contains("is not executed because it is not in the whitelist", StringComparison.Ordinal) ? null : answer;
            }
            catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException && !ct.IsCancellationRequested)
            {
                reason = e is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : e.Message;
            }
        }
        throw CoordinationRun.Unreachable(options, reason);
    }

    /// <summary>Host and port of <c>host:port</c> or <c>[::1]:port</c>.</summary>
    public static (string Host, int Port) Split(string server)
    {
        int colon = server.LastIndexOf(':');
        return (server[..colon].Trim('[', ']'), int.Parse(server.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }

    private static async Task<string> AskAsync(string server, SslClientAuthenticationOptions? tls, string word, CancellationToken ct)
    {
        (string host, int port) = Split(server);
        using var client = new TcpClient();
        await client.ConnectAsync(host, port, ct);
        await using Stream stream = tls is null ? client.GetStream() : new SslStream(client.GetStream());
        if (stream is SslStream secured)
        {
            tls!.TargetHost ??= host;
            await secured.AuthenticateAsClientAsync(tls, ct);
        }
        await stream.WriteAsync(Encoding.ASCII.GetBytes(word), ct);
        using var answer = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        for (int read = await stream.ReadAsync(buffer, ct); read > 0 && answer.Length < MaxAnswerBytes; read = await stream.ReadAsync(buffer, ct))
        {
            answer.Write(buffer, 0, read);
        }
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
