using System.Diagnostics;
using System.Text;
using Skep.Coordination.Client;
using Skep.Jute;

namespace Skep.Acceptance.Coordination.Storms;

/// <summary>A node that one session writes and many watch.</summary>
internal sealed class WatchedNode(string path)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private int acknowledgedVersion;

    public string Path => path;

    /// <summary>Writes that were acknowledged.</summary>
    public int Writes { get; private set; }

    /// <summary>The longest time from one acknowledgement to the next.</summary>
    public TimeSpan LongestGap { get; private set; }

    public Task MakeAsync(CoordinationClient client) => client.CreateAsync(path);

    public async Task WriteAsync(CoordinationClient writer, CancellationToken stop)
    {
        long last = Stopwatch.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                acknowledgedVersion = (await writer.SetDataAsync(path, Encoding.UTF8.GetBytes($"{Writes}"), ct: stop)).Version;
                Writes++;
                LongestGap = TimeSpan.FromTicks(Math.Max(LongestGap.Ticks, Stopwatch.GetElapsedTime(last).Ticks));
                last = Stopwatch.GetTimestamp();
                await Task.Delay(Pause, stop);
            }
            catch (ConnectionLossException)
            {
                // Done or not; the next one follows in either case.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Writes once more, in the calm, and returns the version that every watcher must come to see.</summary>
    public async Task<int> WriteLastAsync(CoordinationClient writer, Findings findings)
    {
        while (true)
        {
            try
            {
                Stat stat = await writer.SetDataAsync(path, "last"u8.ToArray());
                if (stat.Version <= acknowledgedVersion || stat.Version < Writes)
                {
                    findings.Fault($"{path} is of version {stat.Version} after {Writes} acknowledged writes, the last of them of version {acknowledgedVersion}");
                }
                return stat.Version;
            }
            catch (ConnectionLossException)
            {
                // Once more: the highest version is the last.
            }
        }
    }
}
