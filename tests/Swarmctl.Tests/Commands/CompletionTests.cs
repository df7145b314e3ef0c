using System.Diagnostics;

namespace Swarmctl.Tests.Commands;

/// <summary>The completion scripts, in the shells that they are for.</summary>
public sealed class CompletionTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "swarmctl");

    [Theory]
    [InlineData("swarmctl nod", "node")]
    [InlineData("swarmctl node in", "inspect")]
    [InlineData("swarmctl node ls --qui", "--quiet")]
    [InlineData("swarmctl cluster st", "status")]
    [InlineData("swarmctl cluster backup --with", "--with-unlock-key")]
    [InlineData("swarmctl coordination imp", "import")]
    [InlineData("swarmctl coordination import --ov", "--overwrite")]
    [InlineData("swarmctl dataplane devices unb", "unbind")]
    [InlineData("swarmctl service create --restart-del", "--restart-delay")]
    public async Task Bash_completes(string line, string completion)
    {
        Assert.SkipUnless(File.Exists(Program), "the program is not beside its tests");
        string[] words = line.Split(' ');
        string script = $"""
            PATH={AppContext.BaseDirectory}:$PATH
            source <(swarmctl completion bash)
            COMP_LINE={Quote(line)} COMP_POINT={line.Length} COMP_CWORD={words.Length - 1} COMP_WORDS=({line})
            _swarmctl
            echo "$(complete -p swarmctl): $COMPREPLY"
            """;
        Assert.Equal($"complete -F _swarmctl swarmctl: {completion}\n", await ShellAsync("bash", script));
    }

    [Fact]
    public async Task Zsh_reads_its_script()
    {
        Assert.SkipUnless(File.Exists("/bin/zsh"), "zsh is not installed");
        string script = $"PATH={AppContext.BaseDirectory}:$PATH; autoload -Uz compinit; compinit -D -u; source <(swarmctl completion zsh); echo $_comps[swarmctl]";
        Assert.Equal("_swarmctl\n", await ShellAsync("zsh", script));
    }

    private static string Quote(string text) => $"'{text}'";

    private static async Task<string> ShellAsync(string shell, string script)
    {
        using Process process = Process.Start(new ProcessStartInfo(shell, ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("", await errors);
        return output;
    }
}
