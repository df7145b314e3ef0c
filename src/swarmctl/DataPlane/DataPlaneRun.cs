using System.CommandLine;
using Grpc.Core;
using Swarmctl.Connection;
using Client = Skep.V1.DataPlane.DataPlaneClient;

namespace Swarmctl.DataPlane;

/// <summary>One run of a <c>dataplane</c> command, and its way to the data plane's own socket.</summary>
internal sealed class DataPlaneRun(ParseResult flags, Client client)
{
    /// <summary>Where the data plane listens unless it is told otherwise.</summary>
    public const string UsualSocket = "/var/run/swarmd-dataplane.sock";

    private const string SocketVariable = "SWARM_DATAPLANE_SOCKET";
    private const int InterruptedExitCode = 130;

    public ParseResult Flags => flags;

    public Client Client => client;

    public Surroundings Around { get; } = (Surroundings)flags.InvocationConfiguration;

    public TextWriter Output => Around.Output;

    public bool Json => flags.GetValue(GlobalFlags.Format) == "json";

    /// <summary>Makes a command; failures of all kinds come out as those that the user reads.</summary>
    public static Command Command(string name, string description, Func<DataPlaneRun, CancellationToken, Task> run, params Symbol[] parts)
    {
        Command command = Verb.Make(name, description, static (_, _) => Task.CompletedTask, parts);
        command.SetAction((parsed, ct) => RunAsync(parsed, run, ct));
        return command;
    }

    /// <summary>The one word of a command.</summary>
    public string One(Argument<string[]> words, string usage) => flags.GetValue(words) is [string one]
        ? one
        : throw new UserException($"expected: swarmctl dataplane {flags.CommandResult.Command.Name} {usage}");

    private static async Task<int> RunAsync(ParseResult parsed, Func<DataPlaneRun, CancellationToken, Task> run, CancellationToken ct)
    {
        string socket = SocketOf(parsed);
        using var connection = new ControlConnection(socket, tls: false, ((Surroundings)parsed.InvocationConfiguration).WarnOfStale);
        try
        {
            await run(new DataPlaneRun(parsed, new Client(connection.Invoker)), ct).ConfigureAwait(false);
            return 0;
        }
        catch (RpcException e) when (ct.IsCancellationRequested && e.StatusCode == StatusCode.Cancelled)
        {
            return InterruptedExitCode;
        }
        catch (RpcException e)
        {
            throw new UserException(ControlConnection.WhyUnreachable(e, socket) is { } why
                ? $"cannot connect to {socket}: {why}. Is swarmd dataplane running, and is its socket named by --socket or {SocketVariable}?"
                : e.Status.Detail);
        }
        catch (OperationCanceledException)
        {
            return InterruptedExitCode;
        }
    }

    private static string SocketOf(ParseResult parsed) =>
        parsed.GetResult(GlobalFlags.Socket) is { Implicit: false } ? parsed.GetValue(GlobalFlags.Socket)!
        : Environment.GetEnvironmentVariable(SocketVariable) is { Length: > 0 } socket ? socket
        : UsualSocket;
}
