using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;

namespace Skep.Agent.Executors.Docker;

/// <summary>
/// The engine's API in the newest version both sides know, asked for again whenever the engine went away. Failures come as
/// <see cref="EngineException"/> (it said no) or <see cref="TaskTemporaryException"/> (it did not answer).
/// </summary>
internal sealed class EngineClient : IDisposable
{
    /// <summary>How long an ordinary request may take.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromMinutes(2);

    private static readonly Version Newest = new(1, 51);
    private static readonly Version Oldest = new(1, 24);

    private readonly DockerExecutorOptions _options;
    private readonly EngineTransport _transport;
    private readonly HttpClient _http;
    private readonly SemaphoreSlim _requests;
    private readonly SemaphoreSlim _opening = new(1, 1);
    private volatile Session? _session;

    public EngineClient(DockerExecutorOptions options)
    {
        _options = options;
        _transport = new EngineTransport(options.Socket);
        _http = new HttpClient(_transport.CreateHandler()) { BaseAddress = EngineTransport.Address, Timeout = Timeout.InfiniteTimeSpan };
        _requests = new SemaphoreSlim(options.MaxRequests);
    }

    public void Dispose()
    {
        _session?.Client.Dispose();
        _http.Dispose();
        _requests.Dispose();
        _opening.Dispose();
    }

    /// <summary>The version spoken with the engine.</summary>
    public async Task<Version> VersionAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await OpenAsync(cancellationToken)).Version;
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw Unreachable(e);
        }
    }

    /// <summary>Sends a request, as one of a bounded number.</summary>
    public async Task<T> CallAsync<T>(
        Func<DockerClient, CancellationToken, Task<T>> request, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        await _requests.WaitAsync(cancellationToken);
        try
        {
            return await CallUnboundedAsync(request, timeout ?? RequestTimeout, cancellationToken);
        }
        finally
        {
            _requests.Release();
        }
    }

    /// <inheritdoc cref="CallAsync{T}"/>
    public Task CallAsync(Func<DockerClient, CancellationToken, Task> request, CancellationToken cancellationToken, TimeSpan? timeout = null) =>
        CallAsync(
            async (client, token) =>
            {
                await request(client, token);
                return true;
            },
            cancellationToken,
            timeout);

    /// <summary>Sends a request that takes its time, such as a pull, beside the bounded ones.</summary>
    public async Task<T> CallUnboundedAsync<T>(
        Func<DockerClient, CancellationToken, Task<T>> request, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            var session = await OpenAsync(either.Token);
            return await request(session.Client, either.Token);
        }
        catch (DockerApiException e)
        {
            var said = EngineException.From(e);
            throw said.IsPassing ? new TaskTemporaryException(said.Message, e) : said;
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw Unreachable(e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TaskTemporaryException($"the engine at {_options.Socket} did not answer within {timeout.TotalSeconds} s", e);
        }
    }

    /// <summary>Opens a stream that the engine writes to for as long as it likes.</summary>
    /// <param name="path">Path and query below the version.</param>
    /// <param name="cancellationToken">Ends the waiting for it; the stream is ended by disposing the answer.</param>
    public async Task<HttpResponseMessage> StreamAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var version = (await OpenAsync(cancellationToken)).Version;
            var answer = await _http.GetAsync(new Uri($"/v{version}{path}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                using (answer)
                {
                    var said = new EngineException(
                        answer.StatusCode, EngineException.Words(await answer.Content.ReadAsStringAsync(cancellationToken), answer.StatusCode));
                    throw said.IsPassing ? new TaskTemporaryException(said.Message, said) : said;
                }
            }

            return answer;
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw Unreachable(e);
        }
    }

    // What is no JSON comes from something that is no engine: it is waited for as one that does not answer.
    private static bool IsTransport(Exception e) => e is HttpRequestException or SocketException or IOException or JsonException;

    private TaskTemporaryException Unreachable(Exception e)
    {
        // Whatever answers next may be another engine.
        _session = null;
        return new TaskTemporaryException($"the engine at {_options.Socket} does not answer: {Reason(e.GetBaseException())}", e);
    }

    private static string Reason(Exception e) => e switch
    {
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => "there is no such socket",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "nobody listens on its socket",
        JsonException => $"what is there does not speak the engine's protocol: {e.Message}",
        _ => e.Message,
    };

    private async Task<Session> OpenAsync(CancellationToken cancellationToken)
    {
        if (_session is { } open)
        {
            return open;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_session is { } meanwhile)
            {
                return meanwhile;
            }

            using var probe = Build(null);
            var said = await probe.System.GetVersionAsync(cancellationToken);
            var theirs = Version.TryParse(said.APIVersion, out var v) ? v : Oldest;
            var least = Version.TryParse(said.MinAPIVersion, out var m) ? m : Oldest;
            if (least > Newest || theirs < Oldest)
            {
                throw new TaskTemporaryException(
                    $"the engine at {_options.Socket} speaks API versions {least} to {theirs}, this node {Oldest} to {Newest}");
            }

            var version = theirs < Newest ? theirs : Newest;
            return _session = new Session(Build(version), version);
        }
        finally
        {
            _opening.Release();
        }
    }

    private DockerClient Build(Version? version)
    {
        var builder = new DockerClientBuilder().WithEndpoint(new Uri("unix://" + Path.GetFullPath(_options.Socket))).WithTimeout(Timeout.InfiniteTimeSpan);
        return (version is null ? builder : builder.WithApiVersion(version))
            .WithTransportOptions(_transport, new EngineTransport.None()).Build();
    }

    private sealed record Session(DockerClient Client, Version Version);
}
