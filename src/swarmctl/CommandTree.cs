using System.CommandLine;
using System.CommandLine.Help;
using System.Reflection;
using Swarmctl.Clusters;
using Swarmctl.Completion;
using Swarmctl.Configs;
using Swarmctl.Connection;
using Swarmctl.Networks;
using Swarmctl.Nodes;
using Swarmctl.Secrets;
using Swarmctl.Services;
using Swarmctl.Tasks;

namespace Swarmctl;

/// <summary>All commands, and how a command line is run.</summary>
internal static class CommandTree
{
    private static readonly (string Name, Func<Command> Make)[] Groups =
    [
        ("cluster", ClusterCommands.All),
        ("config", ConfigCommands.All),
        ("network", NetworkCommands.All),
        ("node", NodeCommands.All),
        ("secret", SecretCommands.All),
        ("service", ServiceCommands.All),
        ("task", TaskCommands.All),
        ("completion", CompletionCommands.All),
        ("version", VersionCommand),
        ("help", () => new Command("help", "Help about any command")),
    ];

    /// <summary>The commands; of one group only where a name is given, since making them all costs more than running one.</summary>
    public static RootCommand Build(string? only = null)
    {
        var root = new RootCommand("Control a swarm cluster") { GlobalFlags.Socket, GlobalFlags.NoResolve, GlobalFlags.Format };
        foreach ((string name, Func<Command> make) in Groups)
        {
            if (only is null || name == only)
            {
                root.Subcommands.Add(make());
            }
        }
        return root;
    }

    public static async Task<int> RunAsync(string[] args, Surroundings around)
    {
        try
        {
            string? first = ArgumentWords.FirstCommand(args);
            if (first == "help")
            {
                // As Go's command lines have it: `help X` is `X --help`.
                int at = Array.IndexOf(args, first);
                args = [.. args[..at], .. args[(at + 1)..], "--help"];
                first = ArgumentWords.FirstCommand(args);
            }
            RootCommand root = Build(Groups.FirstOrDefault(g => g.Name == first).Name);
            ParseResult parsed = root.Parse(
                ArgumentWords.Normalize(root, args), new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
            if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
            {
                throw new UserException($"{parsed.Errors[0].Message}\nRun 'swarmctl{Path(parsed)} --help' for usage.");
            }
            return await parsed.InvokeAsync(around).ConfigureAwait(false);
        }
        catch (UserException e)
        {
            around.Error.WriteLine("Error: " + e.Message);
            return Verb.FailureExitCode;
        }
    }

    private static Command VersionCommand()
    {
        var version = new Command("version", "Print version number of swarm");
        version.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine($"swarmctl skep {Version}"));
        return version;
    }

    private static string Version =>
        typeof(CommandTree).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    private static string Path(ParseResult parsed)
    {
        string path = "";
        for (System.CommandLine.Parsing.SymbolResult? at = parsed.CommandResult; at is System.CommandLine.Parsing.CommandResult { Parent: not null } c; at = c.Parent)
        {
            path = " " + c.Command.Name + path;
        }
        return path;
    }
}
