using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;

namespace Swarmctl.Connection;

/// <summary>Makes commands that run over a connection and tell failures as SwarmKit's do: <c>Error: …</c>, exit code 255.</summary>
internal static class Verb
{
    /// <summary>What a failed command returns.</summary>
    public const int FailureExitCode = 255;

    /// <summary>The positional words of a command; how many it takes is checked by the command, which knows better words for it.</summary>
    public static Argument<string[]> Words(string name) => new(name) { Arity = ArgumentArity.ZeroOrMore, HelpName = name };

    public static Command Make(string name, string description, Func<Session, CancellationToken, Task> run, params Symbol[] parts)
    {
        var command = new Command(name, description);
        foreach (Symbol part in parts)
        {
            if (part is Argument argument)
            {
                command.Arguments.Add(argument);
            }
            else
            {
                command.Options.Add((Option)part);
            }
        }
        command.SetAction((parsed, ct) => RunAsync(parsed, run, ct));
        return command;
    }

    public static Command Group(string name, string description, params Command[] verbs)
    {
        var command = new Command(name, description);
        foreach (Command verb in verbs)
        {
            command.Subcommands.Add(verb);
        }
        return command;
    }

    public static Command Alias(this Command command, params string[] names)
    {
        foreach (string name in names)
        {
            command.Aliases.Add(name);
        }
        return command;
    }

    /// <summary>The one word of a command.</summary>
    public static string One(this Session session, Argument<string[]> words, string missing)
    {
        string[] given = session.Flags.GetValue(words) ?? [];
        return given.Length switch
        {
            0 => throw new UserException(missing),
            1 => given[0],
            _ => throw new UserException($"{session.Flags.CommandResult.Command.Name} command takes exactly 1 argument"),
        };
    }

    /// <summary>Whether the user gave the flag.</summary>
    public static bool Has(this Session session, Option option) => session.Flags.GetResult(option) is { Implicit: false };

    /// <summary>Writes a message of the contracts as JSON.</summary>
    public static void WriteJson(this Session session, IMessage message) => session.Output.WriteLine(Json.Format(message));

    /// <summary>Writes one JSON array of messages.</summary>
    public static void WriteJson(this Session session, IEnumerable<IMessage> messages) =>
        session.Output.WriteLine("[" + string.Join(",\n", messages.Select(m => Json.Format(m))) + "]");

    private static readonly JsonFormatter Json = new(new JsonFormatter.Settings(formatDefaultValues: false).WithPreserveProtoFieldNames(true));

    private static async Task<int> RunAsync(ParseResult parsed, Func<Session, CancellationToken, Task> run, CancellationToken ct)
    {
        TextWriter output = parsed.InvocationConfiguration.Output;
        TextWriter errors = parsed.InvocationConfiguration.Error;
        string socket = parsed.GetValue(GlobalFlags.Socket)!;
        try
        {
            try
            {
                using var connection = new ControlConnection(socket, tls: false);
                await run(new Session(parsed, connection, output, errors, TimeProvider.System), ct).ConfigureAwait(false);
            }
            catch (RpcException e) when (ControlConnection.WantsTls(e) && File.Exists(socket))
            {
                using var connection = new ControlConnection(socket, tls: true);
                await run(new Session(parsed, connection, output, errors, TimeProvider.System), ct).ConfigureAwait(false);
            }
            return 0;
        }
        catch (UserException e)
        {
            errors.WriteLine("Error: " + e.Message);
        }
        catch (RpcException e)
        {
            errors.WriteLine("Error: " + (ControlConnection.Unreachable(e, socket) ?? e.Status.Detail));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine("Error: " + e.Message);
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
        return FailureExitCode;
    }
}
