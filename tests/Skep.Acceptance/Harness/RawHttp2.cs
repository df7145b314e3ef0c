using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Skep.Acceptance.Harness;

/// <summary>An HTTP/2 client of bytes, which writes what it likes (RFC 9113, RFC 7541).</summary>
internal sealed class RawHttp2(Stream stream) : IAsyncDisposable
{
    public const byte Data = 0, Headers = 1, Settings = 4, GoAway = 7, Continuation = 9;
    public const byte EndStream = 1, EndHeaders = 4, Padded = 8;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    public Stream Stream { get; } = stream;

    public static async Task<Stream> UnixAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
        return new NetworkStream(socket, ownsSocket: true);
    }

    public static async Task<Stream> TcpAsync(string address)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(address.Split(':')[0], int.Parse(address.Split(':')[1]));
        return tcp.GetStream();
    }

    /// <summary>TLS as a Go client begins it: any certificate will do, none is shown, the protocol is h2.</summary>
    public static async Task<Stream> TlsAsync(Stream inner)
    {
        var tls = new SslStream(inner);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "",
            ApplicationProtocols = [SslApplicationProtocol.Http2],
#pragma warning disable CA5359 // SwarmKit's own command line takes any certificate on the control socket; that client is played here.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        });
        return tls;
    }

    public async Task PrefaceAsync()
    {
        await Stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await FrameAsync(Settings, 0, 0, []);
    }

    public async Task FrameAsync(byte type, byte flags, int id, byte[] payload)
    {
        byte[] frame = new byte[9 + payload.Length];
        (frame[0], frame[1], frame[2], frame[3], frame[4]) = ((byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), id);
        payload.CopyTo(frame, 9);
        await Stream.WriteAsync(frame);
    }

    /// <summary>A header block of a call without a message, its authority as given.</summary>
    public static byte[] Call(string method, byte[] authority) =>
    [
        0x83, 0x86, // :method POST, :scheme http
        0x04, .. Plain(method), // :path, not indexed
        0x01, .. authority,
        0x0f, 0x10, .. Plain("application/grpc"), // content-type (31)
        0x00, .. Plain("te"), .. Plain("trailers"),
    ];

    public static byte[] Plain(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    /// <summary>"/tmp/a.sock" in the code of RFC 7541, appendix B.</summary>
    public static byte[] HuffmanPath()
    {
        (int Code, int Bits)[] codes = [(0x18, 6), (0x9, 5), (0x29, 6), (0x2b, 6), (0x18, 6), (0x3, 5), (0x17, 6), (0x8, 5), (0x7, 5), (0x4, 5), (0x75, 7)];
        string bits = string.Concat(codes.Select(c => Convert.ToString(c.Code, 2).PadLeft(c.Bits, '0')));
        bits = bits.PadRight((bits.Length + 7) / 8 * 8, '1');
        byte[] bytes = [.. bits.Chunk(8).Select(b => Convert.ToByte(new string(b), 2))];
        return [(byte)(0x80 | bytes.Length), .. bytes];
    }

    /// <summary>Reads until the stream ends: the bytes of its messages, or null if the connection was closed or given up.</summary>
    public async Task<int?> AnswerAsync(int id)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        int count = 0;
        byte[] head = new byte[9];
        try
        {
            while (true)
            {
                await Stream.ReadExactlyAsync(head, timeout.Token);
                byte[] payload = new byte[head[0] << 16 | head[1] << 8 | head[2]];
                await Stream.ReadExactlyAsync(payload, timeout.Token);
                if (head[3] == GoAway)
                {
                    return null;
                }
                if (BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) != id)
                {
                    continue;
                }
                count += head[3] == Data ? payload.Length : 0;
                if (head[3] is Data or Headers && (head[4] & EndStream) != 0)
                {
                    return count;
                }
                if (head[3] == 3)
                {
                    return -1;
                }
            }
        }
        catch (IOException)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no answer and no end of the connection within {Timeout.TotalSeconds:0} s");
        }
    }

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
