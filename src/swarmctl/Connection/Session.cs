using System.CommandLine;
using Docker.Swarmkit.V1;

namespace Swarmctl.Connection;

/// <summary>One command's run: its connection, what the global flags say, and where it writes.</summary>
internal sealed class Session(ParseResult parsed, ControlConnection connection, TextWriter output, TextWriter errors, TimeProvider time)
{
    public ParseResult Flags { get; } = parsed;

    public Control.ControlClient Control => connection.Control;

    public ControlConnection Connection => connection;

    public TextWriter Output { get; } = output;

    public TextWriter Errors { get; } = errors;

    public DateTimeOffset Now => Time.GetUtcNow();

    public TimeProvider Time { get; } = time;

    public NameResolver Names { get; } = new(connection.Control, parsed.GetValue(GlobalFlags.NoResolve));

    public bool Json => Flags.GetValue(GlobalFlags.Format) == "json";
}
