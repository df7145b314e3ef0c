using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Skep.Raft;

namespace Skep.Bench.Raft;

/// <summary>One member: a port for its peers and one for clients.</summary>
internal static class MemberProcess
{
    public const ulong SnapshotEveryEntries = 1_000_000;

    public static async Task RunAsync(string folder, ulong id, string machine, int[] ports)
    {
        int members = ports.Length / 2;
        using X509Certificate2 own = Certificates.Read(folder, id);
        var seen = new SeenWrites();
        IStateMachine state = machine == "objects" ? new ObjectTable() : seen;
        RaftMember[] founders = [.. Enumerable.Range(0, members).Select(i => new RaftMember((ulong)i + 1, $"127.0.0.1:{ports[i]}"))];
        await using RaftHost host = await RaftHost.OpenAsync(new RaftHostOptions
        {
            Folder = Path.Combine(folder, $"log-{id}"),
            DataKey = new byte[32],
            Member = founders[id - 1],
            Dial = async (to, ct) => await Certificates.ClientAsync(
                new NetworkStream(await Loopback.ConnectAsync(int.Parse(to.Address.Split(':')[1]), ct), ownsSocket: true), folder, own, ct),
        });
        await using ReplicaGroup group = await host.OpenGroupAsync(new ReplicaGroupOptions { GroupId = 1, Founders = founders, SnapshotEveryEntries = SnapshotEveryEntries }, state);
        Task peers = ListenAsync(ports[id - 1], folder, own, stream => host.ServeAsync(stream, Certificates.PeerOf(stream), CancellationToken.None));
        Task clients = ListenAsync(ports[members + (int)id - 1], folder, own, stream => ServeAsync(stream, group, seen));
        Task figures = MemberFigures.WriteAsync(folder, id);
        await Task.WhenAny(peers, clients, figures, group.Completion);
    }

    private static async Task ListenAsync(int port, string folder, X509Certificate2 own, Func<System.Net.Security.SslStream, Task> serve)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        while (true)
        {
            Socket socket = await listener.AcceptSocketAsync();
            socket.NoDelay = true;
            _ = Task.Run(async () =>
            {
                try
                {
                    await serve(await Certificates.ServerAsync(new NetworkStream(socket, ownsSocket: true), folder, own, CancellationToken.None));
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The other side went.
                }
            });
        }
    }

    // Commands of one length, numbered by their first four bytes, which the answer repeats; a fifth byte says whether it was taken,
    // or for a question whether what it asks about is there.
    private static async Task ServeAsync(Stream stream, ReplicaGroup group, SeenWrites seen)
    {
        var answers = new AnswerWriter(stream);
        byte[] received = new byte[64 * 1024];
        int have = 0;
        while (await stream.ReadAsync(received.AsMemory(have)) is > 0 and var read)
        {
            have += read;
            int at = 0;
            for (; have - at >= Pipe.CommandSizeBytes; at += Pipe.CommandSizeBytes)
            {
                ReadOnlyMemory<byte> command = received.AsMemory(at, Pipe.CommandSizeBytes);
                answers.Owe();
                _ = SeenWrites.IsQuestion(command.Span)
                    ? ReadAsync(group, seen, command.ToArray(), answers)
                    : ProposeAsync(group, BinaryPrimitives.ReadInt32LittleEndian(command.Span), command, answers);
            }

            received.AsSpan(at, have - at).CopyTo(received);
            have -= at;
        }
    }

    private static async Task ReadAsync(ReplicaGroup group, SeenWrites seen, byte[] command, AnswerWriter answers)
    {
        bool taken = false;
        try
        {
            await group.ReadIndexAsync();
            taken = seen.Has(command);
        }
        catch (NotLeaderException)
        {
            // It asks another.
        }

        answers.Add(command.AsSpan(0, 4), taken);
    }

    private static async Task ProposeAsync(ReplicaGroup group, int number, ReadOnlyMemory<byte> command, AnswerWriter answers)
    {
        bool taken = false;
        try
        {
            await group.ProposeAsync(command);
            taken = true;
        }
        catch (Exception e) when (e is NotLeaderException or ProposalLostException)
        {
            // It asks another.
        }

        answers.Add(BitConverter.GetBytes(number), taken);
    }
}
