using System.CommandLine;
using System.Text.RegularExpressions;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Commands;

/// <summary>Every command and flag of SwarmKit's help is ours too, with its short form, kind, default and words.</summary>
public sealed partial class HelpTests
{
    // Where ours says more than SwarmKit's.
    private static readonly HashSet<string> Reworded = ["--help", "--socket", "--ports", "--oom-score-adj"];

    public static TheoryData<string> Commands()
    {
        var names = new TheoryData<string>();
        foreach (string section in Sections())
        {
            names.Add(section[..section.IndexOf('\n', StringComparison.Ordinal)].Trim());
        }
        return names;
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_of_SwarmKit_is_ours_too(string path)
    {
        RootCommand root = CommandTree.Build();
        Command command = path.Split(' ').Skip(1).Aggregate((Command)root, (at, name) => Assert.Single(at.Subcommands, c => c.Name == name));
        string[] lines = Sections().Single(s => s.StartsWith(path + "\n", StringComparison.Ordinal)).Split('\n')[1..];

        Assert.Equal(lines[0], command.Description);
        foreach (Match listed in lines.Select(l => Subcommand().Match(l)).Where(m => m.Success))
        {
            Assert.Equal(listed.Groups[2].Value, Assert.Single(command.Subcommands, c => c.Name == listed.Groups[1].Value).Description);
        }
        foreach (Match usage in lines.Select(l => Positional().Match(l)).Where(m => m.Success))
        {
            Assert.Equal(usage.Groups[1].Value, Assert.Single(command.Arguments).HelpName);
        }
        int aliases = Array.IndexOf(lines, "Aliases:");
        Assert.Equal(aliases < 0 ? [] : lines[aliases + 1].Trim().Split(", ")[1..], command.Aliases);
        foreach (Match flag in lines.Select(l => Flag().Match(l)).Where(m => m.Success))
        {
            IsOurs(flag, [.. command.Options.Union(root.Options.Where(o => o.Recursive))]);
        }
    }

    [Theory]
    [InlineData("help", "service", "create")]
    [InlineData("service", "create", "-h")]
    [InlineData("service", "create", "--help", "--nonsense-is-not-looked-at=1")]
    [InlineData("service")]
    [InlineData]
    public async Task Help_is_not_an_error(params string[] args)
    {
        await using var manager = new FakeManager();
        CommandResult result = await manager.RunAsync(args.Where(a => !a.StartsWith("--nonsense", StringComparison.Ordinal)).ToArray());
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("Usage:", result.Output, StringComparison.Ordinal);
    }

    private static void IsOurs(Match flag, List<Option> options)
    {
        Option option = Assert.Single(options, o => o.Name == flag.Groups["name"].Value);
        if (flag.Groups["short"].Length > 0)
        {
            Assert.Contains(flag.Groups["short"].Value, option.Aliases);
        }
        string kind = flag.Groups["kind"].Value;
        if (option.Name != "--help")
        {
            Assert.Equal(kind, option.HelpName ?? "");
            Assert.Equal(kind switch { "" => typeof(bool), "strings" or "external-ca" => typeof(string[]), "uint" => typeof(ulong), "int" => typeof(long), _ => typeof(string) }, option.ValueType);
        }
        if (!Reworded.Contains(option.Name))
        {
            Assert.Equal(flag.Groups["words"].Value, option.Description);
        }
    }

    private static IEnumerable<string> Sections() => GoldenFile.Read("help").Split("##### ", StringSplitOptions.RemoveEmptyEntries)
        .Where(s => s.StartsWith("swarmctl", StringComparison.Ordinal)).Select(s => s.Replace(" \n", "\n", StringComparison.Ordinal));

    [GeneratedRegex(@"^\s+(?:(?<short>-\w), )?(?<name>--[a-z-]+)(?: (?<kind>[a-z0-9-]+))?\s{2,}(?<words>.+)$")]
    private static partial Regex Flag();

    [GeneratedRegex(@"^  ([a-z-]+) {2,}([A-Z].*)$")]
    private static partial Regex Subcommand();

    [GeneratedRegex("^  swarmctl .*<(.+)>")]
    private static partial Regex Positional();
}
