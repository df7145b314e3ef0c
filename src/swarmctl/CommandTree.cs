using System.CommandLine;
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
    public static RootCommand Build()
    {
        var version = new Command("version", "Print version number of swarm");
        version.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine($"swarmctl skep {Version}"));
        var root = new RootCommand("Control a swarm cluster")
        {
            GlobalFlags.Socket,
            GlobalFlags.NoResolve,
            GlobalFlags.Format,
            ClusterCommands.All(),
            ConfigCommands.All(),
            NetworkCommands.All(),
            NodeCommands.All(),
            SecretCommands.All(),
            ServiceCommands.All(),
            TaskCommands.All(),
            CompletionCommands.All(),
            version,
        };
        return root;
    }

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        RootCommand root = Build();
        ParseResult parsed = root.Parse(ArgumentWords.Join(root, args), new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = true });
        if (parsed.Errors.Count > 0 && parsed.Tokens.All(t => t.Value is not ("--help" or "-h" or "-?")))
        {
            errors.WriteLine("Error: " + parsed.Errors[0].Message);
            errors.WriteLine($"Run 'swarmctl{Path(parsed)} --help' for usage.");
            return Verb.FailureExitCode;
        }
        return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = errors, EnableDefaultExceptionHandler = false }).ConfigureAwait(false);
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
