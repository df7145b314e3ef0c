using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Coordination.Client.Watches;
using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>A session over as many connections as it takes: one loop connects, works, and connects again until the session is over.</summary>
internal sealed partial class ClientSession : IAsyncDisposable
{
    // A connection that lives no longer than this counts as a failed attempt: a server may take sessions and drop them at once.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);
    // One request after which each connection is lost must not go on for ever.
    private const int MostRepeats = 8;
    private readonly CoordinationClientOptions _options;
    private readonly WatchBook _watches;
    private readonly ILogger _logger;
    private readonly Random _random;
    private readonly ServerOrder _servers;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Request> _again = [];
    private Task _loop = Task.CompletedTask;
    private Exception? _lastFailure;

    public ClientSession(CoordinationClientOptions options, WatchBook watches)
    {
        _options = options;
        _watches = watches;
        _logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Skep.Coordination.Client");
        _random = options.Seed is int seed ? new Random(seed) : new Random();
        _servers = new ServerOrder(options.Servers, _random);
        _slots = new SemaphoreSlim(options.MaxOutstandingRequests);
        _auth = [.. options.Auth];
        Proof = new SessionProof(options.SessionTimeoutMs);
    }

    public SessionProof Proof { get; }

    public StateFeed States { get; } = new();

    /// <summary>Starts the session, and returns when a server has taken it.</summary>
    public async Task ConnectAsync(CancellationToken ct)
    {
        _loop = Task.Run(RunAsync, CancellationToken.None);
        try
        {
            await _connected.Task.WaitAsync(_options.ConnectTimeout, _options.TimeProvider, ct);
        }
        catch (TimeoutException)
        {
            throw new ConnectionLossException(
                $"none of {string.Join(", ", _options.Servers)} took a session within {_options.ConnectTimeout.TotalSeconds:0.#} s: {_lastFailure?.Message ?? "no answer"}", _lastFailure);
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync(CancellationToken.None);

    private async Task RunAsync()
    {
        int failures = 0;
        try
        {
            while (!_stop.IsCancellationRequested && !_closing)
            {
                long openedAt = 0;
                try
                {
                    Connection connection = await OpenAsync();
                    openedAt = _options.TimeProvider.GetTimestamp();
                    await WorkAsync(connection);
                }
                catch (Exception e) when (!_stop.IsCancellationRequested && !IsFinal(e))
                {
                    _lastFailure = e;
                    failures = openedAt != 0 && _options.TimeProvider.GetElapsedTime(openedAt) > Settled ? 0 : failures + 1;
                    if (openedAt == 0)
                    {
                        SessionMessages.ServerFailed(_logger, e.Message);
                    }
                }
                await Task.Delay(Backoff.Delay(failures / _servers.Count, _random.NextDouble()), _options.TimeProvider, _stop.Token);
            }
            End(ConnectionState.Closed, null);
        }
        catch (SessionExpiredException e)
        {
            SessionMessages.Expired(_logger, Proof.Id);
            End(ConnectionState.Expired, e);
        }
        catch (Exception e)
        {
            End(ConnectionState.Closed, _stop.IsCancellationRequested ? null : e);
        }
    }

    private static bool IsFinal(Exception e) => e is SessionExpiredException or CoordinationException { ErrorCode: ErrorCode.AuthFailed };

    private async Task<Connection> OpenAsync()
    {
        ServerAddress server = _servers.Next();
        // All servers are to have their turn while the session still lives.
        TimeSpan patience = TimeSpan.FromMilliseconds(Math.Max(1_000, Proof.TimeoutMs * 2 / 3 / _servers.Count));
        using var late = new CancellationTokenSource(patience, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _stop.Token);
        try
        {
            (Stream stream, FrameReader frames) = await Handshake.OpenAsync(server, _options, Proof, Identities(), either.Token);
            SessionMessages.Connected(_logger, Proof.Id, server.ToString(), Proof.TimeoutMs);
            return new Connection(stream, frames, Proof, _options.TimeProvider, (e, zxid) => _watches.Fire(e, zxid), Ended);
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested)
        {
            throw new TimeoutException($"{server} did not answer within {patience.TotalMilliseconds:0} ms", e);
        }
    }

    private async Task WorkAsync(Connection connection)
    {
        Request[] first = [.. _watches.SetAgain(Proof.LastZxid), .. _again];
        _again.Clear();
        States.Set(Proof.IsReadOnly ? ConnectionState.ConnectedReadOnly : ConnectionState.Connected);
        _connected.TrySetResult();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task search = Proof.IsReadOnly ? MoveAsync(over) : Task.CompletedTask;
        try
        {
            await connection.RunAsync(first, _queue, over.Token);
        }
        catch (Exception e)
        {
            if (!_closing)
            {
                SessionMessages.Lost(_logger, Proof.Id, e.Message);
                States.Set(ConnectionState.Suspended);
            }
            Sort(connection.Unanswered(), e);
            throw;
        }
        finally
        {
            await over.CancelAsync();
            await search;
        }
    }

    // Leaves a server without a majority as soon as another has one.
    private async Task MoveAsync(CancellationTokenSource over)
    {
        try
        {
            _servers.Prefer(await WritableSearch.FindAsync(_servers.All, _options, over.Token));
            await over.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // The connection is over.
        }
    }

    // Reads go out again on the next connection; for a write nobody knows whether it was done.
    private void Sort(IEnumerable<Request> unanswered, Exception cause)
    {
        foreach (Request request in unanswered)
        {
            if (request.FixedXid == Request.SetWatchesXid)
            {
                continue;
            }
            if (request.IsRepeatable && _options.RetryReads && !request.IsAbandoned && request.TimesSent <= MostRepeats)
            {
                _again.Add(request);
                continue;
            }
            request.Fail(new ConnectionLossException(
                request.Path, $"{request.Op} {request.Path}: the connection was lost before the answer came; whether it was done is not known", cause));
            Ended(request);
        }
    }
}
