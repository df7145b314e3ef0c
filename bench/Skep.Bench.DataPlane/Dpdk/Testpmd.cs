using System.Diagnostics;
using System.Globalization;

namespace Skep.Bench.DataPlane.Dpdk;

/// <summary>DPDK's own forwarding program, told by its command line what to do; while it is stopped its cores sleep.</summary>
internal sealed class Testpmd : IDisposable
{
    private const string Path = "/usr/bin/dpdk-testpmd";
    private const int MainCore = 0;
    private readonly Process _process;

    /// <summary>Starts it with a <c>net_null</c> (port 0) and a <c>net_ring</c> (port 1), each forwarding to itself.</summary>
    /// <param name="core">The core that forwards.</param>
    /// <param name="hugePages">Where its memory lies.</param>
    public Testpmd(int core, bool hugePages)
    {
        string memory = hugePages ? "--in-memory" : "--no-huge --no-shconf";
        // stdbuf: a line of its output comes when it is written, not when four thousand bytes are there.
        _process = Process.Start(new ProcessStartInfo("stdbuf",
            $"-oL {Path} -l {MainCore},{core} --main-lcore {MainCore} {memory} -m {DpdkBench.MemoryMb} --no-telemetry --no-pci --file-prefix testpmd{Environment.ProcessId} --vdev net_null0 --vdev net_ring0 "
            + $"-- -i --port-topology=loop --total-num-mbufs={DpdkBench.Buffers}")
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.ErrorDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        Until("Done");
    }

    /// <summary>Whether it is installed.</summary>
    public static bool IsThere => File.Exists(Path);

    /// <summary>Says what is to be measured.</summary>
    public void Set(DpdkCase what)
    {
        Say($"set portlist {(what.Ring ? 1 : 0)}");
        Say($"set fwd {what.Mode}");
        Say($"set burst {what.Burst}");
    }

    /// <summary>Forwards for a while.</summary>
    /// <returns>Millions of packets sent a second.</returns>
    public double Run(DpdkCase what, TimeSpan warmUp, TimeSpan lasting)
    {
        Say(what.Ring ? "start tx_first 1" : "start");
        Until("TX offloads=");
        Thread.Sleep(warmUp);
        (long before, long start) = Sent(what);
        Thread.Sleep(lasting);
        (long after, long end) = Sent(what);
        Say("stop");
        Until("Done.");
        return (after - before) / Stopwatch.GetElapsedTime(start, end).TotalMicroseconds;
    }

    private (long Packets, long Timestamp) Sent(DpdkCase what)
    {
        Say($"show port stats {(what.Ring ? 1 : 0)}");
        string line = Until("TX-packets:");
        long now = Stopwatch.GetTimestamp();
        Until("Tx-pps:");
        return (long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture), now);
    }

    private void Say(string line) => _process.StandardInput.WriteLine(line);

    private string Until(string part)
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            if (line.Contains(part, StringComparison.Ordinal))
            {
                return line.Trim();
            }
        }
        throw new InvalidOperationException($"{Path} ended before it said '{part}'");
    }

    public void Dispose()
    {
        Say("quit");
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            _process.Kill(entireProcessTree: true);
        }
        _process.Dispose();
    }
}
