using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;
using Swarmctl.Output;

namespace Swarmctl.Connection;

/// <summary>Makes commands that run over a connection and tell failures as SwarmKit's do: <c>Error: …</c>, exit code 255.</summary>
internal static class Verb
{
    /// <summary>What a failed command returns.</summary>
    public const int FailureExitCode = 255;

    // As shells count a program that an interrupt ended.
    private const int InterruptedExitCode = 130;

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
    public static void WriteJson(this Session session, IMessage message) => session.Output.WriteLine(JsonText.Of(message));

    /// <summary>Writes one JSON array of messages.</summary>
    public static void WriteJson(this Session session, IEnumerable<IMessage> messages) =>
        session.Output.WriteLine(JsonText.Of(messages));

    private static async Task<int> RunAsync(ParseResult parsed, Func<Session, CancellationToken, Task> run, CancellationToken ct)
    {
        var around = (Surroundings)parsed.InvocationConfiguration;
        string socket = parsed.GetValue(GlobalFlags.Socket)!;
        try
        {
            try
            {
                await RunAsync(tls: false).ConfigureAwait(false);
            }
            catch (TlsWantedException)
            {
                await RunAsync(tls: true).ConfigureAwait(false);
            }
            return 0;
        }
        catch (RpcException e)
        {
            throw new UserException(ControlConnection.Unreachable(e, socket) ?? e.Status.Detail);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UserException(e.Message);
        }
        catch (OperationCanceledException)
        {
            return InterruptedExitCode;
        }

        async Task RunAsync(bool tls)
        {
            using var connection = new ControlConnection(socket, tls, around.WarnOfStale);
            try
            {
                await run(new Session(parsed, connection, around), ct).ConfigureAwait(false);
            }
            catch (RpcException) when (connection.WantsTls)
            {
                throw new TlsWantedException();
            }
        }
    }

    /// <summary>The server closed a plaintext connection without taking anything from it.</summary>
    private sealed class TlsWantedException : Exception;
}
