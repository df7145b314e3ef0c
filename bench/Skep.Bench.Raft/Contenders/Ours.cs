using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Bench.Raft;

/// <summary>Members of ours, with mTLS between them and to the client.</summary>
internal sealed class Ours(string parent, int members, string machine = "names") : Contender
{
    public Processes Processes { get; } = new(parent, members, machine);

    public override string Name => "Skep";

    public override double CpuSeconds => Processes.CpuSeconds;

    public override int ConnectionsFor(int outstanding) => 1;

    public override ValueTask DisposeAsync() => Processes.DisposeAsync();

    protected override async Task<int?> FindLeaderAsync(CancellationToken ct)
    {
        foreach (int port in Processes.ClientPorts)
        {
            try
            {
                await using Pipe pipe = await OpenAsync(port, ct);
                var command = new ArrayBufferWriter<byte>();
                pipe.Encode(command, 0);
                await pipe.Stream.WriteAsync(command.WrittenMemory, ct);
                byte[] answer = new byte[OurPipe.AnswerSizeBytes];
                await pipe.Stream.ReadExactlyAsync(answer, ct);
                if (answer[^1] == 1)
                {
                    return port;
                }
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // Not up yet, or not any more.
            }
        }

        return null;
    }

    protected override async Task<Pipe> OpenAsync(int port, CancellationToken ct)
    {
        X509Certificate2 own = Certificates.Read(Processes.Folder, 0);
        return new OurPipe(await Certificates.ClientAsync(new NetworkStream(await Loopback.ConnectAsync(port, ct), ownsSocket: true), Processes.Folder, own, ct));
    }

    /// <summary>Commands of one length, numbered by their first four bytes, which the answer repeats before a byte that says whether it was taken.</summary>
    private sealed class OurPipe(Stream stream) : Pipe(stream)
    {
        public const int AnswerSizeBytes = 5;

        private int _object;

        public override void Encode(IBufferWriter<byte> output, int slot)
        {
            Span<byte> command = output.GetSpan(CommandSizeBytes)[..CommandSizeBytes];
            command.Clear();
            BinaryPrimitives.WriteInt32LittleEndian(command, slot);
            BinaryPrimitives.WriteInt32LittleEndian(command[ObjectTable.NumberAt..], _object++);
            output.Advance(CommandSizeBytes);
        }

        public override int Decode(ReadOnlySpan<byte> received, List<int> answered, IBufferWriter<byte> replies)
        {
            int at = 0;
            for (; received.Length - at >= AnswerSizeBytes; at += AnswerSizeBytes)
            {
                if (received[at + 4] == 0)
                {
                    throw new IOException("the member does not lead any more");
                }

                answered.Add(BinaryPrimitives.ReadInt32LittleEndian(received[at..]));
            }

            return at;
        }
    }
}
