using System.CommandLine;
using Swarmctl.Connection;
using Swarmctl.Coordination.Moving;

namespace Swarmctl.Coordination;

/// <summary><c>swarmctl coordination …</c>: the tree of a coordination service, Skep's or ZooKeeper's. None needs a manager's socket.</summary>
internal static class CoordinationCommands
{
    public static Command All() => Verb.Group(
        "coordination", "Look at and change what a coordination service holds, move it in and out",
        WriteCommands.Create(),
        ExportCommand.Make(),
        ReadCommands.Get(),
        ImportCommand.Make(),
        ReadCommands.List(),
        WriteCommands.Remove(),
        SessionsCommand.Make(),
        WriteCommands.Set(),
        ReadCommands.Stat(),
        WatchCommand.Make());
}
