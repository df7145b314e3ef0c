using System.CommandLine;
using Docker.Swarmkit.V1;

namespace Swarmctl.Connection;

/// <summary>One command's run: its connection, what the global flags say, and where it writes.</summary>
internal sealed class Session(ParseResult parsed, ControlConnection connection, Surroundings around)
{
    public ParseResult Flags { get; } = parsed;

    public Control.ControlClient Control => connection.Control;

    public ControlConnection Connection => connection;

    public Surroundings Around => around;

    public TextWriter Output => around.Output;

    public TextWriter Errors => around.Error;

    public DateTimeOffset Now => Time.GetUtcNow();

    public TimeProvider Time => around.Time;

    public NameResolver Names { get; } = new(connection.Control, parsed.GetValue(GlobalFlags.NoResolve));

    public bool Json => Flags.GetValue(GlobalFlags.Format) == "json";
}
