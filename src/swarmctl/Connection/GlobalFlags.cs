using System.CommandLine;

namespace Swarmctl.Connection;

/// <summary>The flags that every command has.</summary>
internal static class GlobalFlags
{
    public static readonly Option<string> Socket = new("--socket", "-s")
    {
        Description = "Socket to connect to the Swarm manager (default \"/var/run/swarmd.sock\", or $SWARM_SOCKET)",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("SWARM_SOCKET") is { Length: > 0 } socket ? socket : "/var/run/swarmd.sock",
        Recursive = true,
        HelpName = "string",
    };

    public static readonly Option<bool> NoResolve = new("--no-resolve", "-n")
    {
        Description = "Do not try to map IDs to Names when displaying them",
        Recursive = true,
    };

    public static readonly Option<string> Format = new("--format")
    {
        Description = "How to write the answer: table or json",
        DefaultValueFactory = _ => "table",
        Recursive = true,
        HelpName = "string",
        CompletionSources = { "table", "json" },
        Validators =
        {
            result =>
            {
                if (result.Tokens is [.., { Value: not ("table" or "json") and string given }])
                {
                    result.AddError($"invalid argument \"{given}\" for --format: expected table or json");
                }
            },
        },
    };
}
