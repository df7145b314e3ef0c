using System.CommandLine;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Skep.V1;
using Spectre.Console;
using Swarmctl.Connection;
using Client = Skep.V1.DataPlane.DataPlaneClient;
using Text = Spectre.Console.Text;

namespace Swarmctl.DataPlane.Demo;

/// <summary>
/// <c>dataplane demo</c>: real TCP between namespaces of this machine through a data plane. One backend dies on the way and comes back; who
/// sends most is shown meanwhile.
/// </summary>
internal static class DemoCommand
{
    private static readonly Option<int> Seconds = new("--seconds") { Description = "How long it lasts", HelpName = "int", DefaultValueFactory = _ => 15 };
    private static readonly Option<string> Driver = new("--driver") { Description = "What moves the frames: afpacket or afxdp", HelpName = "string", DefaultValueFactory = _ => "afpacket", CompletionSources = { "afpacket", "afxdp" } };
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    public static Command Make()
    {
        Command command = Verb.Make("demo", "Balance real TCP between network namespaces of this machine, and show it live; takes root", static (_, _) => Task.CompletedTask, Seconds, Driver);
        command.SetAction((parsed, ct) => RunAsync(parsed, (Surroundings)parsed.InvocationConfiguration, ct));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, Surroundings around, CancellationToken ct)
    {
        int seconds = parsed.GetValue(Seconds);
        if (seconds is < 6 or > 3_600)
        {
            throw new UserException($"invalid argument \"{seconds}\" for --seconds: expected 6 to 3600");
        }
        if (Environment.UserName != "root")
        {
            throw new UserException("network namespaces and packet sockets take root: run it with sudo");
        }
        using var network = new DemoNetwork();
        around.Output.WriteLine("Six clients, three backends and a data plane between them, each in a network namespace of its own.");
        await network.StartAsync(parsed.GetValue(Driver)!, around.Time, ct);
        using var connection = new ControlConnection(network.Socket, tls: false, around.WarnOfStale);
        var client = new Client(connection.Invoker);
        await client.ApplyAsync(new ApplyRequest { Table = JsonParser.Default.Parse<DataPlaneTable>(DemoNetwork.Table()) }, cancellationToken: ct);
        var clients = new DemoClients(network.ClientPlace, network.Clients, DemoNetwork.Service);
        Thread asking = clients.Start();
        try
        {
            await ShowAsync(network, client, clients, seconds, around, ct);
        }
        catch (OperationCanceledException)
        {
            // What there was until now is told all the same.
        }
        clients.Stop();
        asking.Join();
        around.Output.WriteLine($"{clients.Answered:N0} connections answered ({string.Join(", ", clients.ByBackend.Select(static b => $"{b.Key} {b.Value:N0}"))}), "
            + $"{clients.Failed:N0} failed while {DemoNetwork.Backends[1]} was dead and not yet known to be.");
        around.Output.WriteLine(clients.OtherSource == 0
            ? "Every backend saw its client's own address."
            : $"{clients.OtherSource:N0} answers went to a client whose own address the backend had not seen.");
        return clients.Answered > 0 && clients.OtherSource == 0 ? 0 : Verb.FailureExitCode;
    }

    private static async Task ShowAsync(DemoNetwork network, Client client, DemoClients clients, int seconds, Surroundings around, CancellationToken ct)
    {
        List<string> events = [];
        if (!around.IsTerminal())
        {
            await EachSecondAsync(network, clients, seconds, around, async second =>
            {
                if (second % 5 == 0 || second == seconds)
                {
                    around.Output.WriteLine(await PictureAsync(client, clients, events, second, ct));
                }
            }, events, ct);
            return;
        }
        await AnsiConsole.Live(new Text("")).StartAsync(live => EachSecondAsync(
            network, clients, seconds, around, async second => live.UpdateTarget(new Text(await PictureAsync(client, clients, events, second, ct))), events, ct));
    }

    private static async Task EachSecondAsync(DemoNetwork network, DemoClients clients, int seconds, Surroundings around, Func<int, Task> show, List<string> events, CancellationToken ct)
    {
        for (int second = 1; second <= seconds; second++)
        {
            await Task.Delay(Pace, around.Time, ct);
            if (second == seconds / 3)
            {
                network.Servers[1].Stop();
                events.Add($"after {second} s: {DemoNetwork.Backends[1]} dies");
            }
            if (second == seconds * 2 / 3)
            {
                network.Servers[1].Start();
                events.Add($"after {second} s: {DemoNetwork.Backends[1]} is back; {clients.Failed.ToString("N0", CultureInfo.InvariantCulture)} connections had failed");
            }
            await show(second);
        }
    }

    private static async Task<string> PictureAsync(Client client, DemoClients clients, List<string> events, int second, CancellationToken ct)
    {
        DataPlaneStats stats = await client.StatsAsync(new DataPlaneStatsRequest(), cancellationToken: ct);
        TopTalkers top = await client.TopAsync(new TopRequest(), cancellationToken: ct);
        return string.Join('\n', [$"{second} s, {clients.Answered:N0} connections answered, {clients.Failed:N0} failed", .. events, "", StatsText.Services(stats).ToString(), TopText.Of(top, byBytes: false).ToString(), TopText.Summary(top, byBytes: false), ""]);
    }
}
