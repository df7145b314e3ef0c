using System.Net;
using Skep.DataPlane.Balancing.Configuration;

namespace Skep.DataPlane.Health;

/// <summary>Looks at every backend whose service asks for it, each at its own pace, and keeps what is believed of them.</summary>
/// <param name="time">The clock.</param>
internal sealed class HealthChecker(TimeProvider time) : IAsyncDisposable
{
    // Looks at once: more would take descriptors that nobody counted on.
    private const int MaxLooks = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<BackendKey, Watched> _watched = [];
    private readonly SemaphoreSlim _looks = new(MaxLooks);
    private readonly HealthProbe _probe = new();

    /// <summary>Told when a backend goes down or comes up.</summary>
    public event Action<BackendKey, BackendHealth>? Changed;

    /// <summary>Looks at these from now on; what is known of those that stay, with the same check, stays known.</summary>
    /// <returns>Whether it was forgotten of one that it is down.</returns>
    public bool Watch(IReadOnlyDictionary<BackendKey, HealthCheckConfig> wanted)
    {
        lock (_gate)
        {
            bool forgot = false;
            foreach ((BackendKey key, Watched gone) in _watched.Where(w => wanted.GetValueOrDefault(w.Key) != w.Value.Check).ToList())
            {
                gone.Stop.Cancel();
                _watched.Remove(key);
                forgot |= !gone.Health.IsUp;
            }
            foreach ((BackendKey key, HealthCheckConfig check) in wanted.Where(w => !_watched.ContainsKey(w.Key)))
            {
                var watched = new Watched(check, new BackendHealth(check), new CancellationTokenSource());
                _watched.Add(key, watched);
                watched.Running = Task.Run(() => RunAsync(key, watched));
            }
            return forgot;
        }
    }

    /// <summary>What is believed of a backend; null where nobody looks at it.</summary>
    public (bool IsUp, bool IsUnknown, string Why)? Of(BackendKey key)
    {
        lock (_gate)
        {
            return _watched.TryGetValue(key, out Watched? watched) ? (watched.Health.IsUp, watched.Health.IsUnknown, watched.Health.Why) : null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Watched> all;
        lock (_gate)
        {
            all = [.. _watched.Values];
            _watched.Clear();
        }
        all.ForEach(static w => w.Stop.Cancel());
        await Task.WhenAll(all.Select(static w => w.Running)).ConfigureAwait(false);
        _probe.Dispose();
        _looks.Dispose();
    }

    private async Task RunAsync(BackendKey key, Watched watched)
    {
        CancellationToken stop = watched.Stop.Token;
        var address = IPAddress.Parse(key.Address.ToString());
        using var timer = new PeriodicTimer(watched.Check.Interval, time);
        try
        {
            do
            {
                string? failure;
                await _looks.WaitAsync(stop).ConfigureAwait(false);
                try
                {
                    failure = await _probe.LookAsync(watched.Check, address, key.Port, time, stop).ConfigureAwait(false);
                }
                finally
                {
                    _looks.Release();
                }
                bool changed;
                lock (_gate)
                {
                    stop.ThrowIfCancellationRequested();
                    changed = watched.Health.Observe(failure);
                }
                if (changed)
                {
                    Changed?.Invoke(key, watched.Health);
                }
            }
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // Nobody wants to know any more.
        }
    }

    private sealed record Watched(HealthCheckConfig Check, BackendHealth Health, CancellationTokenSource Stop)
    {
        public Task Running { get; set; } = Task.CompletedTask;
    }
}
