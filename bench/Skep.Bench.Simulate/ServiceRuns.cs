using System.Diagnostics;

namespace Skep.Simulation;

/// <summary>Simulates the coordination service for as long as it is given, one seed after another.</summary>
internal static class ServiceRuns
{
    public static int Run(string[] args)
    {
        if (args is ["--seed", var one, ..])
        {
            try
            {
                Console.WriteLine(ServiceSimulation.Run(int.Parse(one), new ServiceOptions { Mistake = MistakeOf(args), Trace = Console.WriteLine }));
                return 0;
            }
            catch (SimulationFailure e)
            {
                Console.WriteLine(e.Message);
                return 1;
            }
        }

        var limit = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0]) : 60);
        var first = args.Length > 1 ? int.Parse(args[1]) : Environment.TickCount & 0xffffff;
        var options = new ServiceOptions { Mistake = MistakeOf(args) };
        var began = Stopwatch.GetTimestamp();
        long seeds = 0, answers = 0, events = 0, expired = 0, reconnects = 0, failed = 0;
        var next = first - 1;
        Parallel.For(0, Environment.ProcessorCount, _ =>
        {
            while (Stopwatch.GetElapsedTime(began) < limit)
            {
                var seed = Interlocked.Increment(ref next);
                try
                {
                    var run = ServiceSimulation.Run(seed, options);
                    Interlocked.Add(ref answers, run.Answers);
                    Interlocked.Add(ref events, run.Events);
                    Interlocked.Add(ref expired, run.Expired);
                    Interlocked.Add(ref reconnects, run.Reconnects);
                }
                catch (SimulationFailure e)
                {
                    Interlocked.Increment(ref failed);
                    Console.WriteLine($"seed {seed}: {e.Message}; to see it: --coordination --seed {seed}");
                }

                Interlocked.Increment(ref seeds);
            }
        });
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Console.WriteLine($"{seeds} seeds from {first} in {elapsed:N1} s ({seeds / elapsed:N1} a second), {answers:N0} answers, {events:N0} events, {expired:N0} sessions expired, {reconnects:N0} reconnects, {failed} seeds failed");
        return failed == 0 ? 0 : 1;
    }

    private static Mistake MistakeOf(string[] args) => args.Length > 2 ? Enum.Parse<Mistake>(args[2], ignoreCase: true) : Mistake.None;
}
