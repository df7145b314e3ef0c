using System.CommandLine;
using System.CommandLine.Help;
using System.Reflection;
using Swarmctl.Clusters;
using Swarmctl.Completion;
using Swarmctl.Configs;
using Swarmctl.Connection;
using Swarmctl.Coordination;
using Swarmctl.DataPlane;
using Swarmctl.Networks;
using Swarmctl.Nodes;
using Swarmctl.Secrets;
using Swarmctl.Services;
using Swarmctl.Sketches;
using Swarmctl.Tasks;

namespace Swarmctl;

/// <summary>All commands, and how a command line is run.</summary>
internal static class CommandTree
{
    private static readonly (string Name, Func<Command> Make)[] Groups =
    [
        ("cluster", ClusterCommands.All),
        ("config", ConfigCommands.All),
        ("coordination", CoordinationCommands.All),
        ("dataplane", DataPlaneCommands.All),
        ("network", NetworkCommands.All),
        ("node", NodeCommands.All),
        ("secret", SecretCommands.All),
        ("service", ServiceCommands.All),
        ("sketch", SketchCommands.All),
        ("task", TaskCommands.All),
        ("completion", CompletionCommands.All),
        ("version", VersionCommand),
        ("help", () => new Command("help", "Help about any command")),
    ];

    /// <summary>All the commands, with help and completion.</summary>
    public static RootCommand Build() => Fill(new RootCommand("Control a swarm cluster"), only: null);

    // Making every command, and the parser's own help, costs more than running one.
    private static Command BuildOnly(string group) => Fill(new Command("swarmctl"), group);

    private static T Fill<T>(T root, string? only)
        where T : Command
    {
        root.Options.Add(GlobalFlags.Socket);
        root.Options.Add(GlobalFlags.NoResolve);
        root.Options.Add(GlobalFlags.Format);
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
            bool knows = Groups.Any(g => g.Name == first) && !args.Any(a => a is "-h" or "--help" or "-?");
            Command root = knows ? BuildOnly(first!) : Build();
            string[] words = ArgumentWords.Normalize(root, args);
            if (words is [.., "--help"] && root is not RootCommand)
            {
                root = Build();
            }
            ParseResult parsed = root.Parse(
                words, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
            if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
            {
                throw new UserException($"{parsed.Errors[0].Message}\nRun 'swarmctl{Path(parsed)} --help' for usage.");
            }
            if (first == "dataplane" || (first == "service" && parsed.GetResult(ServiceFlags.Detach) is { } detach && !detach.GetValueOrDefault<bool>() && around.IsTerminal()))
            {
                // Live progress hides the cursor, and gives it back when it is interrupted; a capture closes its file.
                around.ProcessTerminationTimeout = TimeSpan.FromSeconds(2);
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
