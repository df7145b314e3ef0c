using System.CommandLine;
using Skep.V1;
using Spectre.Console;
using Swarmctl.Flags;
using Swarmctl.Output;
using Text = Spectre.Console.Text;

namespace Swarmctl.DataPlane;

/// <summary><c>dataplane top</c>: who sends most, live on a terminal.</summary>
internal static class TopCommand
{
    private static readonly Option<int> Count = new("--count", "-k") { Description = "How many clients to show", HelpName = "int", DefaultValueFactory = _ => 10 };
    private static readonly Option<string> By = new("--by") { Description = "What counts: packets or bytes", HelpName = "string", DefaultValueFactory = _ => "packets", CompletionSources = { "packets", "bytes" } };
    private static readonly Option<bool> SinceStart = new("--since-start") { Description = "Count from the data plane's start instead of about the last minute" };
    private static readonly Option<bool> Once = new("--once") { Description = "Show once and end, as is done where no terminal is" };
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    public static Command Make() => DataPlaneRun.Command("top", "Show which clients send most, in fixed memory and with bounds", RunAsync, Count, By, SinceStart, Once);

    private static async Task RunAsync(DataPlaneRun run, CancellationToken ct)
    {
        string by = run.Flags.GetValue(By)!;
        if (by is not ("packets" or "bytes"))
        {
            throw new UserException($"invalid argument \"{by}\" for --by: expected packets or bytes");
        }
        int count = run.Flags.GetValue(Count);
        if (count is < 1 or > 200)
        {
            throw new UserException($"invalid argument \"{count}\" for --count: expected 1 to 200");
        }
        var request = new TopRequest { Count = (uint)count, SinceStart = run.Flags.GetValue(SinceStart) };
        if (run.Json)
        {
            run.Output.WriteLine(JsonText.Of(await run.Client.TopAsync(request, cancellationToken: ct)));
            return;
        }
        if (run.Flags.GetValue(Once) || !run.Around.IsTerminal())
        {
            TopTalkers top = await run.Client.TopAsync(request, cancellationToken: ct);
            run.Output.Write(TopText.Of(top, by == "bytes"));
            run.Output.WriteLine(TopText.Summary(top, by == "bytes"));
            return;
        }
        await LiveAsync(run, request, by == "bytes", ct);
    }

    private static Task LiveAsync(DataPlaneRun run, TopRequest request, bool byBytes, CancellationToken ct) =>
        AnsiConsole.Live(new Text("")).StartAsync(async live =>
        {
            while (true)
            {
                TopTalkers top = await run.Client.TopAsync(request, cancellationToken: ct);
                live.UpdateTarget(new Text($"{TopText.Of(top, byBytes)}{TopText.Summary(top, byBytes)}\nCtrl-C ends it."));
                await Task.Delay(Pace, run.Around.Time, ct);
            }
        });
}
