using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Jute;

namespace Skep.Coordination.Client.Tests.Infrastructure;

/// <summary>A server that has lost its majority, as far as its clients see: it takes read-only sessions and answers nothing but pings.</summary>
internal sealed class LonelyServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _clients = [];
    private readonly Task _accepting;

    public LonelyServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>What the server says to <c>isro</c>.</summary>
    public string IsReadOnly { get; set; } = "ro";

    /// <summary>The sessions asked for, 0 for a new one.</summary>
    public List<ConnectRequest> Asked { get; } = [];

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        _clients.ForEach(c => c.Dispose());
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                TcpClient client = await _listener.AcceptTcpClientAsync();
                _clients.Add(client);
                _ = ServeAsync(client);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        NetworkStream stream = client.GetStream();
        byte[] start = new byte[4];
        await stream.ReadExactlyAsync(start);
        if (Encoding.ASCII.GetString(start) == "isro")
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(IsReadOnly));
            client.Dispose();
            return;
        }
        byte[] frame = new byte[start[3]];
        await stream.ReadExactlyAsync(frame);
        Asked.Add(Read(frame));
        bool readOnly = IsReadOnly == "ro";
        await stream.WriteAsync(JuteFrame.Make(o => JuteFrame.Put(o, new ConnectResponse(0, 10_000, readOnly ? 7 : 8, new byte[16], readOnly))));
    }

    private static ConnectRequest Read(byte[] frame)
    {
        var reader = new JuteReader(frame);
        return ConnectRequest.Read(ref reader);
    }
}
