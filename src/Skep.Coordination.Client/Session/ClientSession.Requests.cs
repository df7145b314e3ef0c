using System.Threading.Channels;
using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>The way in: requests wait in one queue, whether there is a connection or not.</summary>
internal sealed partial class ClientSession
{
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(3);
    private readonly Channel<Request> _queue = Channel.CreateUnbounded<Request>(new UnboundedChannelOptions { SingleReader = true });
    // What bounds the queue: whoever gets no slot waits outside.
    private readonly SemaphoreSlim _slots;
    private readonly Lock _gate = new();
    private readonly List<AuthInfo> _auth;
    private Func<Exception>? _over;
    private volatile bool _closing;

    /// <summary>Queues a request in the order of calls and waits for its answer.</summary>
    /// <param name="request">The request.</param>
    /// <param name="ct">Gives up waiting; a request that was sent may be done all the same.</param>
    /// <param name="atQueue">Runs as the request is queued, under the watches' lock: the server will see both in this order.</param>
    public async Task<T> SendAsync<T>(Request<T> request, CancellationToken ct, Action? atQueue = null)
    {
        await _slots.WaitAsync(ct);
        try
        {
            Enqueue(request, atQueue);
        }
        catch
        {
            _slots.Release();
            throw;
        }
        if (!ct.CanBeCanceled)
        {
            return await request.Task;
        }
        using (ct.UnsafeRegister(static (state, token) => ((Request<T>)state!).Cancel(token), request))
        {
            return await request.Task;
        }
    }

    /// <summary>Queues a request that nobody waits for, if there is room. To be called under the watches' lock.</summary>
    public void TryPost(Request request)
    {
        if (!_slots.Wait(0))
        {
            return;
        }
        lock (_gate)
        {
            if (_over is null && !_closing && _queue.Writer.TryWrite(request))
            {
                return;
            }
        }
        _slots.Release();
    }

    /// <summary>Shows an identity now and on each connection to come.</summary>
    public async Task AddAuthAsync(AuthInfo info, CancellationToken ct)
    {
        await SendAsync(new Request<bool>(OpCode.Auth, "", Handshake.AuthFrame(info), (error, _) =>
        {
            if (error != ErrorCode.Ok)
            {
                throw new CoordinationException(error, "", $"the server refused the identity of scheme '{info.Scheme}' ({error})");
            }
            lock (_gate)
            {
                _auth.Add(info);
            }
            return true;
        })
        { FixedXid = Request.AuthXid, IsRepeatable = true }, ct);
    }

    /// <summary>Ends the session at the server if it can be reached, and everything here in any case.</summary>
    public async Task CloseAsync(CancellationToken ct)
    {
        Request<bool>? close = null;
        lock (_gate)
        {
            if (!_closing && _over is null && States.Current is ConnectionState.Connected or ConnectionState.ConnectedReadOnly)
            {
                close = new Request<bool>(OpCode.CloseSession, "", RequestFrame.Make(OpCode.CloseSession), static (_, _) => true);
                _queue.Writer.TryWrite(close);
            }
            _closing = true;
        }
        try
        {
            if (close is not null)
            {
                await close.Task.WaitAsync(ClosePatience, _options.TimeProvider, ct);
            }
        }
        catch (Exception e) when (e is TimeoutException or CoordinationException or ObjectDisposedException)
        {
            // The server ends the session by itself when it hears nothing more of it.
        }
        finally
        {
            await _stop.CancelAsync();
            await _loop;
            End(ConnectionState.Closed, null);
        }
    }

    private void Enqueue(Request request, Action? atQueue)
    {
        if (atQueue is null)
        {
            EnqueueCore(request);
            return;
        }
        lock (_watches.Gate)
        {
            atQueue();
            EnqueueCore(request);
        }
    }

    private void EnqueueCore(Request request)
    {
        lock (_gate)
        {
            if (_over is not null)
            {
                throw _over();
            }
            ObjectDisposedException.ThrowIf(_closing, typeof(CoordinationClient));
            _queue.Writer.TryWrite(request);
        }
    }

    private AuthInfo[] Identities()
    {
        lock (_gate)
        {
            return [.. _auth];
        }
    }

    // Pings, setWatches and the close have no slot of their own.
    private void Ended(Request request)
    {
        if (request.FixedXid is 0 or Request.AuthXid && request.Op != OpCode.CloseSession)
        {
            _slots.Release();
        }
    }

    private void End(ConnectionState state, Exception? reason)
    {
        Func<Exception> over = reason switch
        {
            null => static () => new ObjectDisposedException(nameof(CoordinationClient), "the client is closed"),
            SessionExpiredException => static () => new SessionExpiredException(),
            CoordinationException e => () => new CoordinationException(e.ErrorCode, e.Path, e.Message, e),
            _ => () => new CoordinationException(ErrorCode.SystemError, "", $"the client has stopped: {reason.Message}", reason),
        };
        lock (_gate)
        {
            if (_over is not null)
            {
                return;
            }
            _over = over;
        }
        foreach (Request request in _again)
        {
            request.Fail(over());
            Ended(request);
        }
        while (_queue.Reader.TryRead(out Request? request))
        {
            request.Fail(over());
            Ended(request);
        }
        States.Set(state);
        _watches.EndAll(reason is null ? null : over());
        _connected.TrySetException(over());
        // Nobody may be waiting for it.
        _ = _connected.Task.Exception;
    }
}
