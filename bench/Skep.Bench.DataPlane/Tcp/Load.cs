using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Skep.Bench.DataPlane.Tcp;

/// <summary>What a load measured.</summary>
/// <param name="PerSecond">Requests a second.</param>
/// <param name="P99Ms">Time within which 99 of 100 were answered, in milliseconds.</param>
/// <param name="Requests">How many.</param>
internal readonly record struct Measured(double PerSecond, double P99Ms, double Requests);

/// <summary>The loads, by programs that others wrote.</summary>
internal static partial class Load
{
    private const int Connections = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static readonly (string Name, Func<string, int, Measured> Run)[] All =
    [
        ("redis-benchmark GET, 50 connections", Redis),
        ("wrk, 50 connections kept", (space, seconds) => Wrk(space, seconds, "")),
        ("wrk, a connection a request", (space, seconds) => Wrk(space, seconds, "-H 'Connection: close'")),
    ];

    /// <summary>Waits until every backend answers both services.</summary>
    public static void WaitUntilServed(string space, Func<Exception?> failure)
    {
        long start = Stopwatch.GetTimestamp();
        string refusal = "";
        // Enough times for every backend's turn to have come.
        for (int good = 0; good < 4 * Net.Backends;)
        {
            if (failure() is { } e)
            {
                throw new InvalidOperationException("the balancer stopped: " + e.Message, e);
            }
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException("the services are not answered through the balancer: " + refusal);
            }
            try
            {
                Shell.Run(space, $"timeout 1 redis-cli -h {Net.Service} -p {Net.RedisPort} PING");
                if (good++ == 0)
                {
                    Wrk(space, 1, "");
                }
            }
            catch (InvalidOperationException no)
            {
                (good, refusal) = (0, no.Message);
            }
        }
    }

    private static Measured Redis(string space, int seconds)
    {
        // Its length is given in requests; some are made before, to know how many fit.
        Measured before = Redis(space, (long)5_000);
        return Redis(space, (long)Math.Max(5_000, before.PerSecond * seconds));
    }

    private static Measured Redis(string space, long requests)
    {
        string output = Shell.Run(space, $"redis-benchmark -h {Net.Service} -p {Net.RedisPort} -c {Connections} -n {requests} -t get --csv");
        string[] cells = output.Trim().Split('\n')[^1].Split(',');
        return new Measured(Number(cells[1]), Number(cells[6]), requests);
    }

    private static Measured Wrk(string space, int seconds, string flags)
    {
        string output = Shell.Run(space, $"wrk -t1 -c{Connections} -d{seconds}s --latency {flags} http://{Net.Service}:{Net.HttpPort}/");
        Match time = P99().Match(output), total = Total().Match(output);
        double ms = Number(time.Groups[1].Value) * time.Groups[2].Value switch { "us" => 0.001, "ms" => 1, _ => 1000 };
        return new Measured(Number(Rate().Match(output).Groups[1].Value), ms, Number(total.Groups[1].Value));
    }

    private static double Number(string text) => double.Parse(text.Trim('"'), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"99%\s+([0-9.]+)(us|ms|s)")]
    private static partial Regex P99();

    [GeneratedRegex(@"([0-9]+) requests in")]
    private static partial Regex Total();

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();
}
