using System.Collections.Concurrent;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;

namespace Skep.Agent.Executors.Docker;

/// <summary>Pulls images, each of them once for all tasks that wait for it.</summary>
internal sealed class ImagePulls(EngineClient engine, int maxPulls, ILogger logger) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<(string Image, string Auth), Lazy<Pull>> _running = new();
    private readonly SemaphoreSlim _room = new(maxPulls);
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Pulls the image. A pull that nobody waits for any more is given up.</summary>
    /// <returns>Why it could not be pulled, or null when it was.</returns>
    /// <exception cref="TaskTemporaryException">The engine does not answer.</exception>
    public async Task<string?> PullAsync(string image, string registryAuth, CancellationToken cancellationToken)
    {
        var key = (image, registryAuth);
        while (true)
        {
            var pull = _running.GetOrAdd(key, k => new Lazy<Pull>(() => Begin(k))).Value;
            if (!pull.Join())
            {
                // Given up a moment ago; it takes itself off the list.
                await Task.WhenAny(pull.Ended).WaitAsync(cancellationToken);
                continue;
            }

            try
            {
                return await pull.Ended.WaitAsync(cancellationToken);
            }
            finally
            {
                pull.Part();
            }
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private Pull Begin((string Image, string Auth) key)
    {
        var pull = new Pull(_stopping.Token);
        pull.Ended = Task.Run(async () =>
        {
            try
            {
                await _room.WaitAsync(pull.Token);
                try
                {
                    return await RunAsync(key.Image, key.Auth, pull.Token);
                }
                finally
                {
                    _room.Release();
                }
            }
            finally
            {
                _running.TryRemove(key, out _);
            }
        });
        return pull;
    }

    private async Task<string?> RunAsync(string image, string registryAuth, CancellationToken cancellationToken)
    {
        var progress = new LastError();
        var headers = new Dictionary<string, string>();
        if (registryAuth.Length > 0)
        {
            headers["X-Registry-Auth"] = registryAuth;
        }

        string? failure;
        try
        {
            await engine.CallUnboundedAsync(
                async (client, token) =>
                {
                    await client.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = image }, null, headers, progress, token);
                    return true;
                },
                Timeout,
                cancellationToken);
            failure = progress.Message;
        }
        catch (EngineException e)
        {
            failure = e.Message;
        }
        catch (TaskTemporaryException e) when (e.InnerException is DockerApiException)
        {
            // The engine did answer; what passes or not is the registry's, and the image may be here already.
            failure = e.Message;
        }

        if (failure is not null)
        {
            DockerLog.PullFailed(logger, image, failure);
        }

        return failure;
    }

    private sealed class LastError : IProgress<JSONMessage>
    {
        public string? Message { get; private set; }

        public void Report(JSONMessage value) => Message = value.Error?.Message ?? Message;
    }

    private sealed class Pull(CancellationToken stopping)
    {
        private readonly Lock _gate = new();
        private readonly CancellationTokenSource _giveUp = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        private int _waiting;
        private bool _givenUp;

        public CancellationToken Token => _giveUp.Token;

        public Task<string?> Ended { get; set; } = Task.FromResult<string?>(null);

        public bool Join()
        {
            lock (_gate)
            {
                if (_givenUp || _giveUp.IsCancellationRequested)
                {
                    return false;
                }

                _waiting++;
                return true;
            }
        }

        public void Part()
        {
            lock (_gate)
            {
                if (--_waiting > 0 || Ended.IsCompleted)
                {
                    return;
                }

                // Decided here: whoever came between this and the cancellation would be cancelled with it.
                _givenUp = true;
            }

            _giveUp.Cancel();
        }
    }
}
