using System.Diagnostics;

namespace Skep.Acceptance.Harness;

/// <summary>What a program said, and how it ended.</summary>
internal sealed record Said(int Exit, string Output, string Errors)
{
    /// <summary>Its output, if it ended well.</summary>
    public string Ok => Exit == 0 ? Output : throw new InvalidOperationException($"it ended with {Exit}: {Errors}{Output}");
}

/// <summary>Programs run to their end.</summary>
internal static class Shell
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <param name="program">What is run.</param>
    /// <param name="arguments">With what.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="environment">Variables set besides.</param>
    /// <param name="patience">When it must have ended; a minute where none is given.</param>
    public static async Task<Said> RunAsync(
        string program, IEnumerable<string> arguments, string? input = null, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? patience = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        using Process process = Process.Start(start)!;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(patience ?? Timeout);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(timeout.Token), errors = process.StandardError.ReadToEndAsync(timeout.Token);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(timeout.Token);
            return new Said(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} did not end within {(patience ?? Timeout).TotalSeconds:0} s");
        }
    }
}
