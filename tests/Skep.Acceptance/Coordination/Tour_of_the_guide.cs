using System.Text.RegularExpressions;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>The five minutes of docs/guide/coordination.md, as they stand there, in a network and among processes of their own.</summary>
public sealed partial class Tour_of_the_guide
{
    private const string EndOfFence = "=== end of fence";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Its_lines_do_what_it_says()
    {
        Programs.Need();
        Judges.NeedZooKeeper();
        string guide = await File.ReadAllTextAsync(Path.Combine(Programs.Repository, "docs/guide/coordination.md"));
        (string Language, string Text)[] fences = [.. Fence().Matches(Section().Match(guide).Groups[1].Value).Select(m => (m.Groups[1].Value, m.Groups[2].Value))];
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(Programs.Repository, "docs/guide/samples/CoordinationTour/Program.cs")), Assert.Single(fences, f => f.Language == "csharp").Text);

        string script = string.Concat(fences.Where(f => f.Language == "bash").Select(f => f.Text + $"echo '{EndOfFence}'\n"));
        string[] said = (await RunAsync(script)).Split(EndOfFence);
        int bash = 0;
        foreach ((string language, string text) in fences)
        {
            bash += language == "bash" ? 1 : 0;
            if (language == "text")
            {
                string expected = string.Join(".*\n", text.TrimEnd().Split('\n').Select(l => Regex.Escape(l).Replace("…", ".*", StringComparison.Ordinal)));
                Assert.Matches(new Regex(expected, RegexOptions.Singleline), said[bash - 1]);
            }
        }
    }

    // What is left of it when it ends, well or not, ends with its processes' namespace.
    private static async Task<string> RunAsync(string script)
    {
        string folder = Directory.CreateTempSubdirectory("skep-tour-").FullName;
        try
        {
            var environment = new Dictionary<string, string> { ["TMPDIR"] = folder, ["PATH"] = $"{Path.GetDirectoryName(Programs.Swarmd)}:{Environment.GetEnvironmentVariable("PATH")}" };
            string[] apart = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", "ip link set lo up && cd \"$0\" && exec bash -e -s", Programs.Repository];
            Said said = await Shell.RunAsync("unshare", apart, script, environment, Patience);
            Assert.True(said.Exit == 0, $"the tour ended with {said.Exit} in fence {said.Output.Split(EndOfFence).Length}:\n{said.Output}{said.Errors}\n{await LogsAsync(folder)}");
            return said.Output;
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}\n{await LogsAsync(folder)}", e);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> LogsAsync(string folder) =>
        string.Join('\n', await Task.WhenAll(Directory.EnumerateFiles(folder, "*.log", SearchOption.AllDirectories).Select(async f => $"--- {f}\n{await File.ReadAllTextAsync(f)}")));

    [GeneratedRegex("^## Five minutes$(.*?)(?=^## |\\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();

    [GeneratedRegex("^```(\\w+)\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
