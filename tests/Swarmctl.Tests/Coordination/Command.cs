using System.Text;
using Swarmctl.Connection;

namespace Swarmctl.Tests.Coordination;

/// <summary>Runs <c>swarmctl coordination …</c> against a server.</summary>
internal sealed class Command(string server)
{
    public async Task<string> OutputAsync(params string[] args) => await WithInputAsync("", args);

    public async Task<string> WithInputAsync(string input, params string[] args)
    {
        (int exitCode, string output, string error) = await RunAsync(input, args);
        Assert.Equal("", error);
        Assert.Equal(0, exitCode);
        return output;
    }

    public async Task<string> ErrorAsync(params string[] args)
    {
        (int exitCode, _, string error) = await RunAsync("", args);
        Assert.Equal(Verb.FailureExitCode, exitCode);
        return error;
    }

    public async Task<(int ExitCode, string Output, string Error)> RunAsync(string input, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var keys = new MemoryStream();
        int exitCode = await CommandTree.RunAsync(["coordination", .. args, "--server", server], new Surroundings
        {
            Input = new MemoryStream(Encoding.UTF8.GetBytes(input)),
            Output = output,
            Error = error,
            ErrorIsTerminal = static () => false,
            KeyOutput = () => keys,
        }).WaitAsync(TimeSpan.FromSeconds(60));
        return (exitCode, Encoding.UTF8.GetString(keys.ToArray()) + output, error.ToString());
    }
}
