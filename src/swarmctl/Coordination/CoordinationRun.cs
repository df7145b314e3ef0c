using System.CommandLine;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Skep.Coordination.Client;
using Skep.Jute;
using Swarmctl.Connection;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Coordination;

/// <summary>One run of a <c>coordination</c> command: its words and flags, where it writes, and its way to the servers.</summary>
internal sealed class CoordinationRun(ParseResult flags)
{
    // Whoever has not answered by then may not be there at all.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(300);

    public ParseResult Flags => flags;

    public Surroundings Around { get; } = (Surroundings)flags.InvocationConfiguration;

    public TextWriter Output => Around.Output;

    public bool Json => flags.GetValue(GlobalFlags.Format) == "json";

    /// <summary>Makes a command; failures of all kinds come out as those that the user reads.</summary>
    public static Command Command(string name, string description, Func<CoordinationRun, CancellationToken, Task> run, params Symbol[] parts)
    {
        Command command = Verb.Make(name, description, static (_, _) => Task.CompletedTask, [.. parts, .. ServerFlags.All]);
        command.SetAction(async (parsed, ct) =>
        {
            try
            {
                await run(new CoordinationRun(parsed), ct);
                return 0;
            }
            catch (Exception e) when (e is CoordinationException or WatchOverflowException or ZooKeeperFormatException or ArgumentException)
            {
                throw new UserException(e.Message);
            }
        });
        return command;
    }

    /// <summary>The words given.</summary>
    /// <exception cref="UserException">They are too few or too many.</exception>
    public string[] Words(Argument<string[]> words, int least, int most, string usage)
    {
        string[] given = flags.GetValue(words) ?? [];
        return given.Length >= least && given.Length <= most ? given : throw new UserException($"expected: swarmctl coordination {flags.CommandResult.Command.Name} {usage}");
    }

    /// <summary>A path as the server takes it.</summary>
    /// <exception cref="UserException">It is none.</exception>
    public static string Path(string given)
    {
        if (!given.StartsWith('/'))
        {
            throw new UserException($"invalid path \"{given}\": a path begins with a slash, as in /app/config");
        }
        return given.Length > 1 ? given.TrimEnd('/') is { Length: > 0 } path ? path : "/" : given;
    }

    public static string Child(string parent, string name) => parent == "/" ? "/" + name : $"{parent}/{name}";

    /// <summary>A session with the servers.</summary>
    /// <exception cref="UserException">None of them can be reached.</exception>
    public async Task<CoordinationClient> ConnectAsync(CancellationToken ct)
    {
        CoordinationClientOptions options = ServerFlags.Read(flags);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task<CoordinationClient> connecting = CoordinationClient.ConnectAsync(options, stop.Token);
        try
        {
            if (await Task.WhenAny(connecting, Task.Delay(Soon, ct)) != connecting && await NobodyListensAsync(options, ct))
            {
                await stop.CancelAsync();
            }
            return await connecting;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw Unreachable(options, "nothing listens there");
        }
        catch (ConnectionLossException e)
        {
            throw Unreachable(options, e.Message);
        }
        catch (CoordinationException e) when (e.ErrorCode == ErrorCode.AuthFailed)
        {
            string hint = options.Tls is null ? " (Skep takes passwords by TLS or from the machine itself only: --tls)" : "";
            throw new UserException(e.Message + hint);
        }
    }

    public static UserException Unreachable(CoordinationClientOptions options, string reason) => new(
        $"no coordination service answers at {string.Join(", ", options.Servers)}: {reason}. Is it served there (`swarmd --coordination 2181`)"
        + $"{(options.Tls is null ? ", without TLS" : ", by TLS")}? --server or $SWARM_COORDINATION name another");

    /// <summary>Writes one line of JSON.</summary>
    public void WriteJson(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            write(writer);
        }
        Output.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    public void WriteJsonObject(Action<Utf8JsonWriter> write) => WriteJson(w =>
    {
        w.WriteStartObject();
        write(w);
        w.WriteEndObject();
    });

    public void Warn(string text) => Around.Error.WriteLine("Warning: " + text);

    private static async Task<bool> NobodyListensAsync(CoordinationClientOptions options, CancellationToken ct)
    {
        foreach (string server in options.Servers)
        {
            (string host, int port) = FourLetterWord.Split(server);
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
            late.CancelAfter(Soon);
            try
            {
                await socket.ConnectAsync(host, port, late.Token);
                return false;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // The next may.
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                return false;
            }
        }
        return true;
    }
}
