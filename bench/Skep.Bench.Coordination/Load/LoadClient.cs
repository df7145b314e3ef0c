using System.Diagnostics;
using System.Text.Json;

namespace Skep.Bench.Coordination;

/// <summary>A running load client: told to go on its input, and answering with lines on its output.</summary>
internal sealed class LoadClient : IAsyncDisposable
{
    private static readonly TimeSpan LastWork = TimeSpan.FromSeconds(90);
    private static readonly JsonSerializerOptions Names = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly Process _process;
    private readonly Task<string> _errors;

    public LoadClient(string program, string[] arguments)
    {
        _process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public Task ReadyAsync(CancellationToken ct) => LineAsync(ct);

    public void Go()
    {
        _process.StandardInput.WriteLine("go");
        _process.StandardInput.Flush();
    }

    /// <summary>Takes the next line of JSON.</summary>
    /// <exception cref="InvalidOperationException">The client failed; has what it said.</exception>
    public async Task<T> AnswerAsync<T>(CancellationToken ct) => JsonSerializer.Deserialize<T>(await LineAsync(ct), Names)!;

    /// <summary>Closes its input, takes its last line, and waits for its end.</summary>
    public async Task<T> EndAsync<T>(CancellationToken ct)
    {
        _process.StandardInput.Close();
        return await AnswerAsync<T>(ct);
    }

    /// <summary>Lets it close its sessions and end; one that does not is killed.</summary>
    public async Task EndedAsync(CancellationToken ct)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(LastWork);
        await _process.WaitForExitAsync(timeout.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private async Task<string> LineAsync(CancellationToken ct) =>
        await _process.StandardOutput.ReadLineAsync(ct) ?? throw new InvalidOperationException($"the load client gave up: {await _errors}");
}
