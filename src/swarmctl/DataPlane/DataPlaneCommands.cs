using System.CommandLine;
using Google.Protobuf;
using Skep.V1;
using Swarmctl.Connection;
using Swarmctl.Output;

namespace Swarmctl.DataPlane;

/// <summary><c>swarmctl dataplane …</c>: the load balancer that <c>swarmd dataplane</c> runs.</summary>
internal static class DataPlaneCommands
{
    private static readonly Argument<string[]> File = Verb.Words("FILE");

    public static Command All() => Verb.Group(
        "dataplane", "Look after the data plane: what it balances, what passes through it, its devices",
        DataPlaneRun.Command("apply", "Put a table of services in force as a whole, from a JSON file or - for standard input", ApplyAsync, File),
        CaptureCommand.Make(),
        Demo.DemoCommand.Make(),
        DevicesCommand.All(),
        DataPlaneRun.Command("services", "Show services and backends, how they fare and what they were sent", ServicesAsync),
        DataPlaneRun.Command("stats", "Show what ports and workers have done, and why packets were dropped", StatsAsync),
        DataPlaneRun.Command("table", "Write the table in force as JSON, as apply takes it", TableAsync),
        TopCommand.Make());

    private static async Task ApplyAsync(DataPlaneRun run, CancellationToken ct)
    {
        string file = run.One(File, "FILE");
        DataPlaneTable table;
        try
        {
            string text = file == "-" ? await new StreamReader(run.Around.Input ?? Console.OpenStandardInput()).ReadToEndAsync(ct) : await System.IO.File.ReadAllTextAsync(file, ct);
            table = JsonParser.Default.Parse<DataPlaneTable>(text);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException)
        {
            throw new UserException($"{file} is no table: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(e.Message);
        }
        ApplyResponse answer = await run.Client.ApplyAsync(new ApplyRequest { Table = table }, cancellationToken: ct);
        run.Output.WriteLine(run.Json ? JsonText.Of(answer) : $"table {answer.Version} is in force");
    }

    private static async Task TableAsync(DataPlaneRun run, CancellationToken ct) =>
        run.Output.WriteLine(JsonText.Of(await run.Client.TableAsync(new TableRequest(), cancellationToken: ct)));

    private static async Task ServicesAsync(DataPlaneRun run, CancellationToken ct)
    {
        DataPlaneStats stats = await run.Client.StatsAsync(new DataPlaneStatsRequest(), cancellationToken: ct);
        if (run.Json)
        {
            run.Output.WriteLine(JsonText.Of(stats.Services));
            return;
        }
        run.Output.Write(StatsText.Services(stats));
    }

    private static async Task StatsAsync(DataPlaneRun run, CancellationToken ct)
    {
        DataPlaneStats stats = await run.Client.StatsAsync(new DataPlaneStatsRequest(), cancellationToken: ct);
        if (run.Json)
        {
            run.Output.WriteLine(JsonText.Of(stats));
            return;
        }
        StatsText.Write(run.Output, stats, run.Around.Time.GetUtcNow());
    }
}
