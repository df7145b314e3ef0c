using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Skep.Bench.Raft;

/// <summary>Debian's etcd-server, without TLS, on its v3 interface.</summary>
internal sealed class Etcd : Contender
{
    public const string Program = "/usr/bin/etcd";

    private readonly Servers _servers;
    private readonly int[] _ports;
    private readonly HttpClient _http = new();

    public Etcd(string parent, int members)
    {
        _servers = new Servers(parent, "etcd");
        int[] ports = Loopback.FreePorts(2 * members);
        _ports = ports[members..];
        string cluster = string.Join(',', Enumerable.Range(0, members).Select(i => $"m{i}={Url(ports[i])}"));
        for (int i = 0; i < members; i++)
        {
            _servers.Start(
                Program,
                [
                    "--name", $"m{i}", "--data-dir", Path.Combine(_servers.Folder, $"m{i}"), "--initial-cluster", cluster, "--initial-cluster-state", "new",
                    "--listen-peer-urls", Url(ports[i]), "--initial-advertise-peer-urls", Url(ports[i]),
                    "--listen-client-urls", Url(_ports[i]), "--advertise-client-urls", Url(_ports[i]), "--log-level", "error",
                ]);
        }
    }

    /// <summary>Whether it is asked for values, as linearizable reads, which are etcd's default; else it is given some. Of connections opened from then on.</summary>
    public bool Reads { get; set; }

    public override string Name => "etcd";

    public override double CpuSeconds => _servers.CpuSeconds;

    public override int ConnectionsFor(int outstanding) => Math.Min(8, outstanding);

    public override async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _servers.DisposeAsync();
    }

    protected override async Task<int?> FindLeaderAsync(CancellationToken ct)
    {
        foreach (int port in _ports)
        {
            if ((await _http.GetStringAsync($"{Url(port)}/metrics", ct)).Contains("\netcd_server_is_leader 1\n", StringComparison.Ordinal))
            {
                return port;
            }
        }

        return null;
    }

    protected override async Task<Pipe> OpenAsync(int port, CancellationToken ct)
    {
        var stream = new NetworkStream(await Loopback.ConnectAsync(port, ct), ownsSocket: true);
        await stream.WriteAsync(EtcdPipe.Opening, ct);
        return new EtcdPipe(stream, port, Reads);
    }

    private static string Url(int port) => $"http://127.0.0.1:{port}";

    /// <summary>
    /// KV.Put or KV.Range as gRPC has it on HTTP/2 (RFC 9113), a stream each, by hand: a general client takes several times the processor time
    /// of a server's, on the same cores.
    /// </summary>
    private sealed class EtcdPipe : Pipe
    {
        private const int HeadSizeBytes = 9;
        private const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7;
        private const byte EndStream = 1, Acknowledge = 1, EndHeaders = 4;

        private readonly byte[] _headers;
        private readonly Dictionary<int, (int Slot, bool Answered)> _streams = [];
        private int _next = 1;

        private readonly bool _reads;

        public EtcdPipe(Stream stream, int port, bool reads) : base(stream)
        {
            _reads = reads;

            // Indexed and never-indexed fields only (RFC 7541): the block is the same each time.
            var block = new List<byte> { 0x83, 0x86 };
            Add(block, [0x04], reads ? "/etcdserverpb.KV/Range" : "/etcdserverpb.KV/Put");
            Add(block, [0x01], $"127.0.0.1:{port}");
            Add(block, [0x0f, 0x10], "application/grpc");
            Add(block, [0x00, 2, (byte)'t', (byte)'e'], "trailers");
            _headers = [.. block];
        }

        /// <summary>The preface, a setting for large windows of streams, and one for the connection's.</summary>
        public static byte[] Opening { get; } =
        [
            .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8,
            0, 0, 6, Settings, 0, 0, 0, 0, 0, 0, 4, 0x40, 0, 0, 0,
            0, 0, 4, 8, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,
        ];

        public override void Encode(IBufferWriter<byte> output, int slot)
        {
            Head(output, _headers.Length, Headers, EndHeaders, _next);
            output.Write(_headers);
            Span<byte> key = stackalloc byte[8];
            Encoding.ASCII.GetBytes($"key-{slot % 10_000:0000}", key);
            Span<byte> value = stackalloc byte[CommandSizeBytes];
            value.Clear();
            int message = 2 + key.Length + (_reads ? 0 : 3 + value.Length);
            Head(output, 5 + message, Data, EndStream, _next);
            Span<byte> prefix = stackalloc byte[5];
            prefix[0] = 0;
            BinaryPrimitives.WriteInt32BigEndian(prefix[1..], message);
            output.Write(prefix);
            output.Write((ReadOnlySpan<byte>)[0x0a, (byte)key.Length]);
            output.Write(key);
            if (!_reads)
            {
                output.Write((ReadOnlySpan<byte>)[0x12, 0x80, 0x01]);
                output.Write(value);
            }
            _streams.Add(_next, (slot, false));
            _next += 2;
        }

        public override int Decode(ReadOnlySpan<byte> received, List<int> answered, IBufferWriter<byte> replies)
        {
            int at = 0;
            while (received.Length - at >= HeadSizeBytes)
            {
                ReadOnlySpan<byte> head = received[at..];
                int length = (head[0] << 16) | (head[1] << 8) | head[2];
                if (head.Length < HeadSizeBytes + length)
                {
                    break;
                }

                Take(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head[5..]), head.Slice(HeadSizeBytes, length), answered, replies);
                at += HeadSizeBytes + length;
            }

            return at;
        }

        private void Take(byte type, byte flags, int stream, ReadOnlySpan<byte> payload, List<int> answered, IBufferWriter<byte> replies)
        {
            switch (type)
            {
                case Data when payload.Length > 5:
                    _streams[stream] = _streams[stream] with { Answered = true };
                    break;
                case Headers when (flags & EndStream) != 0:
                    _streams.Remove(stream, out var call);
                    answered.Add(call.Answered ? call.Slot : throw new IOException("etcd refused a call"));
                    break;
                case Settings when (flags & Acknowledge) == 0:
                    Head(replies, 0, Settings, Acknowledge, 0);
                    break;
                case Ping when (flags & Acknowledge) == 0:
                    Head(replies, payload.Length, Ping, Acknowledge, 0);
                    replies.Write(payload);
                    break;
                case Reset or GoAway:
                    throw new IOException("etcd ended a stream");
                default:
                    break;
            }
        }

        private static void Head(IBufferWriter<byte> output, int length, byte type, byte flags, int stream)
        {
            Span<byte> head = output.GetSpan(HeadSizeBytes);
            head[0] = (byte)(length >> 16);
            head[1] = (byte)(length >> 8);
            head[2] = (byte)length;
            head[3] = type;
            head[4] = flags;
            BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
            output.Advance(HeadSizeBytes);
        }

        private static void Add(List<byte> block, ReadOnlySpan<byte> name, string value)
        {
            block.AddRange(name);
            block.Add((byte)value.Length);
            block.AddRange(Encoding.ASCII.GetBytes(value));
        }
    }
}
