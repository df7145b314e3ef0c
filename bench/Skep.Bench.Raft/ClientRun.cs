using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Bench.Raft;

/// <summary>What one client saw with so many commands outstanding.</summary>
internal sealed class ClientRun
{
    public const int CommandSizeBytes = 128;
    private const int AnswerSizeBytes = 5;

    private readonly List<double> _ms = [];

    public int Count => _ms.Count;

    public double PerSecond { get; private set; }

    public double Percentile(double part) => _ms[(int)(part * (_ms.Count - 1))];

    public static async Task<ClientRun> RunAsync(string folder, int[] ports, int outstanding, double seconds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            foreach (int port in ports)
            {
                try
                {
                    if (await TryAsync(folder, port, outstanding, seconds, patience.Token) is { } run)
                    {
                        return run;
                    }
                }
                catch (Exception e) when (e is SocketException or IOException)
                {
                    // Not up yet.
                }
            }

            await Task.Delay(100, patience.Token);
        }
    }

    /// <returns>null when that member does not lead.</returns>
    private static async Task<ClientRun?> TryAsync(string folder, int port, int outstanding, double seconds, CancellationToken ct)
    {
        using X509Certificate2 own = Certificates.Read(folder, 0);
        await using SslStream stream = await Certificates.ClientAsync(new NetworkStream(await Loopback.ConnectAsync(port, ct), ownsSocket: true), folder, own, ct);
        var run = new ClientRun();
        long[] sentAt = new long[outstanding];
        byte[] commands = new byte[outstanding * CommandSizeBytes];
        int[] free = [.. Enumerable.Range(0, outstanding)];
        int freeCount = outstanding, inFlight = 0;
        byte[] answers = new byte[outstanding * AnswerSizeBytes];
        int have = 0;
        long began = Stopwatch.GetTimestamp(), end = began + (long)(seconds * Stopwatch.Frequency);
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            if (now < end && freeCount > 0)
            {
                for (int i = 0; i < freeCount; i++)
                {
                    sentAt[free[i]] = now;
                    BinaryPrimitives.WriteInt32LittleEndian(commands.AsSpan(i * CommandSizeBytes), free[i]);
                }

                inFlight += freeCount;
                await stream.WriteAsync(commands.AsMemory(0, freeCount * CommandSizeBytes), ct);
                freeCount = 0;
            }

            if (inFlight == 0)
            {
                run.PerSecond = run.Count / Stopwatch.GetElapsedTime(began).TotalSeconds;
                run._ms.Sort();
                return run;
            }

            int read = await stream.ReadAsync(answers.AsMemory(have), ct);
            if (read == 0)
            {
                throw new IOException("the member closed the stream");
            }

            have += read;
            now = Stopwatch.GetTimestamp();
            int whole = have / AnswerSizeBytes;
            for (int i = 0; i < whole; i++)
            {
                int number = BinaryPrimitives.ReadInt32LittleEndian(answers.AsSpan(i * AnswerSizeBytes));
                if (answers[(i * AnswerSizeBytes) + 4] == 0)
                {
                    return null;
                }

                run._ms.Add(Stopwatch.GetElapsedTime(sentAt[number], now).TotalMilliseconds);
                free[freeCount++] = number;
            }

            inFlight -= whole;
            answers.AsSpan(whole * AnswerSizeBytes, have - (whole * AnswerSizeBytes)).CopyTo(answers);
            have -= whole * AnswerSizeBytes;
        }
    }
}
