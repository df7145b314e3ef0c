using System.Buffers;
using System.Diagnostics;

namespace Skep.Bench.Raft;

/// <summary>What a client saw with so many commands outstanding.</summary>
internal sealed class ClientRun
{
    private readonly List<double> _ms = [];

    public int Count => _ms.Count;

    public double PerSecond { get; private set; }

    /// <summary>Processor time of the members for each command, in microseconds.</summary>
    public double CpuMicroseconds { get; private set; }

    /// <summary>The longest time in which no answer came, of all connections; in milliseconds.</summary>
    public double LongestStallMs { get; private set; }

    public double Percentile(double part) => _ms[(int)(part * (_ms.Count - 1))];

    public static Task<ClientRun> RunAsync(Contender contender, int outstanding, double seconds) =>
        RunAsync(contender, outstanding, (_, elapsed) => elapsed.TotalSeconds < seconds);

    /// <param name="contender">Who is asked.</param>
    /// <param name="outstanding">Commands that wait for their answers at any time.</param>
    /// <param name="goOn">Whether more are sent, by how many were answered and how long it has been.</param>
    public static async Task<ClientRun> RunAsync(Contender contender, int outstanding, Func<int, TimeSpan, bool> goOn)
    {
        Pipe[] pipes = await contender.ConnectAsync(contender.ConnectionsFor(outstanding));
        double cpu = contender.CpuSeconds;
        long began = Stopwatch.GetTimestamp();
        var parts = pipes.Select(static _ => new ClientRun()).ToList();
        await Task.WhenAll(parts.Select((p, i) => Task.Run(() => p.DriveAsync(pipes[i], outstanding / pipes.Length, began, goOn))));
        var all = new ClientRun { PerSecond = parts.Sum(static p => p.Count) / Stopwatch.GetElapsedTime(began).TotalSeconds };
        all.LongestStallMs = parts.Max(static p => p.LongestStallMs);
        parts.ForEach(p => all._ms.AddRange(p._ms));
        all._ms.Sort();
        all.CpuMicroseconds = (contender.CpuSeconds - cpu) * 1e6 / Math.Max(1, all.Count);
        foreach (Pipe pipe in pipes)
        {
            await pipe.DisposeAsync();
        }

        return all;
    }

    private async Task DriveAsync(Pipe pipe, int outstanding, long began, Func<int, TimeSpan, bool> goOn)
    {
        long[] sentAt = new long[outstanding];
        List<int> free = [.. Enumerable.Range(0, outstanding)];
        var output = new ArrayBufferWriter<byte>();
        byte[] received = new byte[256 * 1024];
        int have = 0, inFlight = 0;
        long last = began;
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            if (goOn(Count, Stopwatch.GetElapsedTime(began, now)))
            {
                foreach (int slot in free)
                {
                    sentAt[slot] = now;
                    pipe.Encode(output, slot);
                }

                inFlight += free.Count;
                free.Clear();
            }

            if (output.WrittenCount > 0)
            {
                await pipe.Stream.WriteAsync(output.WrittenMemory);
                output.ResetWrittenCount();
            }

            if (inFlight == 0)
            {
                return;
            }

            int read = await pipe.Stream.ReadAsync(received.AsMemory(have));
            have += read > 0 ? read : throw new IOException("the server closed the stream");
            now = Stopwatch.GetTimestamp();
            int before = free.Count;
            int taken = pipe.Decode(received.AsSpan(0, have), free, output);
            for (int i = before; i < free.Count; i++)
            {
                _ms.Add(Stopwatch.GetElapsedTime(sentAt[free[i]], now).TotalMilliseconds);
            }

            if (free.Count > before)
            {
                LongestStallMs = Math.Max(LongestStallMs, Stopwatch.GetElapsedTime(last, now).TotalMilliseconds);
                last = now;
            }

            inFlight -= free.Count - before;
            received.AsSpan(taken, have - taken).CopyTo(received);
            have -= taken;
        }
    }
}
