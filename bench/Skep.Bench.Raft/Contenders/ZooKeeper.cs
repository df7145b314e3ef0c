using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Skep.Jute;

namespace Skep.Bench.Raft;

/// <summary>Debian's zookeeper, without TLS.</summary>
internal sealed class ZooKeeper(string parent, int members) : Contender
{
    private const string Node = "/bench";
    private const int NodeExists = -110;

    private readonly ZooKeeperServers _servers = new(parent, members, "1g");

    public override string Name => "ZooKeeper";

    public override double CpuSeconds => _servers.Processes.CpuSeconds;

    public override int ConnectionsFor(int outstanding) => Math.Min(8, outstanding);

    public override ValueTask DisposeAsync() => _servers.DisposeAsync();

    protected override async Task<int?> FindLeaderAsync(CancellationToken ct)
    {
        foreach (int port in _servers.Ports)
        {
            if (await ZooKeeperServers.ModeAsync(port, ct) is "leader" or "standalone")
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
