using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Skep.Raft;

namespace Skep.Bench.Raft;

/// <summary>One member: a port for its peers and one for clients.</summary>
internal static class MemberProcess
{
    public static async Task RunAsync(string folder, ulong id, int[] ports)
    {
        int members = ports.Length / 2;
        using X509Certificate2 own = Certificates.Read(folder, id);
        var seen = new SeenWrites();
        RaftMember[] founders = [.. Enumerable.Range(0, members).Select(i => new RaftMember((ulong)i + 1, $"127.0.0.1:{ports[i]}"))];
        await using RaftHost host = await RaftHost.OpenAsync(new RaftHostOptions
        {
            Folder = Path.Combine(folder, $"log-{id}"),
            DataKey = new byte[32],
            Member = founders[id - 1],
            Dial = async (to, ct) => await Certificates.ClientAsync(
                new NetworkStream(await Loopback.ConnectAsync(int.Parse(to.Address.Split(':')[1]), ct), ownsSocket: true), folder, own, ct),
        });
        await using ReplicaGroup group = await host.OpenGroupAsync(new ReplicaGroupOptions { GroupId = 1, Founders = founders, SnapshotEveryEntries = 1_000_000 }, seen);
        Task peers = ListenAsync(ports[id - 1], folder, own, stream => host.ServeAsync(stream, Certificates.PeerOf(stream), CancellationToken.None));
        Task clients = ListenAsync(ports[members + (int)id - 1], folder, own, stream => ServeAsync(stream, group, seen));
        await Task.WhenAny(peers, clients, group.Completion);
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
        using var answers = new AnswerWriter(stream);
        var buffered = new BufferedStream(stream, 64 * 1024);
        while (true)
        {
            byte[] command = new byte[ClientRun.CommandSizeBytes];
            await buffered.ReadExactlyAsync(command);
            _ = AnswerAsync(group, seen, command, answers);
        }
    }

    private static async Task AnswerAsync(ReplicaGroup group, SeenWrites seen, byte[] command, AnswerWriter answers)
    {
        try
        {
            if (SeenWrites.IsQuestion(command))
            {
                await group.ReadIndexAsync();
                answers.Add(command.AsSpan(0, 4), taken: seen.Has(command));
                return;
            }

            await group.ProposeAsync(command);
            answers.Add(command.AsSpan(0, 4), taken: true);
        }
        catch (Exception e) when (e is NotLeaderException or ProposalLostException)
        {
            answers.Add(command.AsSpan(0, 4), taken: false);
        }
    }

    /// <summary>Answers that come while a write is under way go out together.</summary>
    private sealed class AnswerWriter : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly SemaphoreSlim _wake = new(0, 1);
        private readonly CancellationTokenSource _stop = new();
        private ArrayBufferWriter<byte> _waiting = new(4096);
        private ArrayBufferWriter<byte> _sending = new(4096);

        public AnswerWriter(Stream stream) => _ = RunAsync(stream);

        public void Add(ReadOnlySpan<byte> number, bool taken)
        {
            lock (_gate)
            {
                _waiting.Write(number);
                _waiting.Write([taken ? (byte)1 : (byte)0]);
                if (_wake.CurrentCount == 0)
                {
                    _wake.Release();
                }
            }
        }

        public void Dispose() => _stop.Cancel();

        private async Task RunAsync(Stream stream)
        {
            try
            {
                while (true)
                {
                    await _wake.WaitAsync(_stop.Token);
                    lock (_gate)
                    {
                        (_waiting, _sending) = (_sending, _waiting);
                    }

                    await stream.WriteAsync(_sending.WrittenMemory, _stop.Token);
                    _sending.ResetWrittenCount();
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The client went.
            }
        }
    }
}
