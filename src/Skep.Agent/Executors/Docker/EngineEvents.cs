using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Executors.Docker;

/// <summary>
/// One stream of the engine's events for all containers of this node. Whenever it begins anew every container's pulse
/// beats: anything may have happened meanwhile.
/// </summary>
internal sealed class EngineEvents : IAsyncDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(5);

    private readonly EngineClient _engine;
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, Pulse> _pulses = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Task? _running;

    /// <summary>Reads nothing until the first container is watched.</summary>
    public EngineEvents(EngineClient engine, string stateDirectory, TimeProvider time, ILogger logger)
    {
        (_engine, _time, _logger) = (engine, time, logger);
        var filters = new Dictionary<string, string[]>
        {
            ["type"] = ["container"],
            ["event"] = ["start", "die", "destroy", "health_status"],
            ["label"] = [$"{ContainerLabels.StateDirectory}={stateDirectory}"],
        };
        _path = "/events?filters=" + Uri.EscapeDataString(JsonSerializer.Serialize(filters, EngineJson.Default.DictionaryStringStringArray));
    }

    /// <summary>The pulse of a task's container.</summary>
    public Pulse Watch(string taskId)
    {
        lock (_gate)
        {
            _running ??= Task.Run(RunAsync);
        }

        return _pulses.GetOrAdd(taskId, _ => new Pulse());
    }

    public void Forget(string taskId) => _pulses.TryRemove(taskId, out _);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        if (_running is { } running)
        {
            await running;
        }

        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var delay = FirstDelay;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                using var answer = await _engine.StreamAsync(_path, _stopping.Token);
                delay = FirstDelay;
                foreach (var pulse in _pulses.Values)
                {
                    pulse.Beat();
                }

                await ReadAsync(answer);
            }
            catch (Exception e) when (!_stopping.IsCancellationRequested)
            {
                DockerLog.EventsLost(_logger, e.Message, delay.TotalMilliseconds);
            }
            catch (Exception)
            {
                return;
            }

            try
            {
                await Task.Delay(delay, _time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            delay = 2 * delay < MaxDelay ? 2 * delay : MaxDelay;
        }
    }

    private async Task ReadAsync(HttpResponseMessage answer)
    {
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(_stopping.Token));
        while (await reader.ReadLineAsync(_stopping.Token) is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            using var json = JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("Actor", out var actor)
                && actor.TryGetProperty("Attributes", out var attributes)
                && attributes.TryGetProperty(ContainerLabels.TaskId, out var id)
                && id.GetString() is { } taskId
                && _pulses.TryGetValue(taskId, out var pulse))
            {
                pulse.Beat();
            }
        }
    }
}
