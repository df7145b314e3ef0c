using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Skep.Jute;

namespace Skep.Bench.Raft;

/// <summary>Debian's zookeeper, without TLS.</summary>
internal sealed class ZooKeeper : Contender
{
    public const string Jar = "/usr/share/java/zookeeper.jar";
    private const string Node = "/bench";
    private const int NodeExists = -110;

    private readonly Servers _servers;
    private readonly int[] _ports;

    public ZooKeeper(string parent, int members)
    {
        _servers = new Servers(parent, "zookeeper");
        int[] ports = Loopback.FreePorts(3 * members);
        _ports = ports[..members];
        string[] others = [.. Enumerable.Range(0, members).Select(i => $"server.{i + 1}=127.0.0.1:{ports[members + i]}:{ports[(2 * members) + i]}")];
        for (int i = 0; i < members; i++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_servers.Folder, $"m{i}")).FullName;
            File.WriteAllText(Path.Combine(folder, "myid"), $"{i + 1}");
            string configuration = Path.Combine(folder, "zoo.cfg");
            File.WriteAllLines(
                configuration,
                [
                    "tickTime=2000", "initLimit=10", "syncLimit=5", $"dataDir={folder}", $"clientPort={_ports[i]}", "clientPortAddress=127.0.0.1",
                    "maxClientCnxns=0", "admin.enableServer=false", "4lw.commands.whitelist=srvr", .. members > 1 ? others : [],
                ]);
            _servers.Start("/usr/bin/java", ["-Xmx1g", "-cp", Jar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", configuration]);
        }
    }

    public override string Name => "ZooKeeper";

    public override double CpuSeconds => _servers.CpuSeconds;

    public override int ConnectionsFor(int outstanding) => Math.Min(8, outstanding);

    public override ValueTask DisposeAsync() => _servers.DisposeAsync();

    protected override async Task<int?> FindLeaderAsync(CancellationToken ct)
    {
        foreach (int port in _ports)
        {
            using var stream = new NetworkStream(await Loopback.ConnectAsync(port, ct), ownsSocket: true);
            await stream.WriteAsync("srvr"u8.ToArray(), ct);
            string answer = await new StreamReader(stream).ReadToEndAsync(ct);
            if (answer.Contains("Mode: leader", StringComparison.Ordinal) || answer.Contains("Mode: standalone", StringComparison.Ordinal))
            {
                return port;
            }
        }

        return null;
    }

    protected override async Task<Pipe> OpenAsync(int port, CancellationToken ct)
    {
        var stream = new NetworkStream(await Loopback.ConnectAsync(port, ct), ownsSocket: true);
        await AskAsync(stream, static o => JuteFrame.Put(o, new ConnectRequest(0, 0, 30_000, 0, new byte[16], false)), ct);
        byte[] created = await AskAsync(
            stream,
            static o =>
            {
                JuteFrame.Put(o, new RequestHeader(int.MaxValue, (int)OpCode.Create));
                JuteFrame.Put(o, new CreateRequest(Node, new byte[Pipe.CommandSizeBytes], [new Acl(31, new AclId("world", "anyone"))], 0));
            },
            ct);
        return BinaryPrimitives.ReadInt32BigEndian(created.AsSpan(12)) is 0 or NodeExists
            ? new ZooKeeperPipe(stream)
            : throw new IOException("ZooKeeper does not take the node");
    }

    private static async Task<byte[]> AskAsync(Stream stream, Action<IBufferWriter<byte>> write, CancellationToken ct)
    {
        await stream.WriteAsync(JuteFrame.Make(write), ct);
        byte[] length = new byte[4];
        await stream.ReadExactlyAsync(length, ct);
        byte[] answer = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        await stream.ReadExactlyAsync(answer, ct);
        return answer;
    }

    /// <summary>setData of one node in one session; the request's number is the slot.</summary>
    private sealed class ZooKeeperPipe : Pipe
    {
        private const int XidAt = 4;
        private readonly byte[] _frame = JuteFrame.Make(static o =>
        {
            JuteFrame.Put(o, new RequestHeader(0, (int)OpCode.SetData));
            JuteFrame.Put(o, new SetDataRequest(Node, new byte[CommandSizeBytes], -1));
        });

        public ZooKeeperPipe(Stream stream) : base(stream)
        {
        }

        public override void Encode(IBufferWriter<byte> output, int slot)
        {
            Span<byte> frame = output.GetSpan(_frame.Length);
            _frame.CopyTo(frame);
            BinaryPrimitives.WriteInt32BigEndian(frame[XidAt..], slot);
            output.Advance(_frame.Length);
        }

        public override int Decode(ReadOnlySpan<byte> received, List<int> answered, IBufferWriter<byte> replies)
        {
            int at = 0;
            while (received.Length - at >= 4)
            {
                int length = BinaryPrimitives.ReadInt32BigEndian(received[at..]);
                if (received.Length - at - 4 < length)
                {
                    break;
                }

                ReadOnlySpan<byte> header = received.Slice(at + 4, length);
                answered.Add(BinaryPrimitives.ReadInt32BigEndian(header[12..]) == 0
                    ? BinaryPrimitives.ReadInt32BigEndian(header)
                    : throw new IOException($"ZooKeeper refused a setData with {BinaryPrimitives.ReadInt32BigEndian(header[12..])}"));
                at += 4 + length;
            }

            return at;
        }
    }
}
