using Skep.Coordination.Client.Session;
using Skep.Coordination.Client.Watches;
using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>
/// A session with an ensemble that speaks ZooKeeper's protocol. Safe for use by many at once; requests are sent in the order of calls
/// without waiting for one another. The session outlives lost connections; when it expires, this client is over (make another).
/// </summary>
/// <remarks>
/// Every operation fails with <see cref="CoordinationException"/> where the server refuses it, with <see cref="ConnectionLossException"/>
/// where the connection was lost before a write's answer, with <see cref="SessionExpiredException"/> where the session is over, and with
/// <see cref="ObjectDisposedException"/> after <see cref="CloseAsync"/>. Without a connection it waits for one.
/// </remarks>
public sealed partial class CoordinationClient : IAsyncDisposable
{
    private readonly ClientSession _session;
    private readonly WatchBook _watches;
    private readonly Chroot _chroot;

    private CoordinationClient(CoordinationClientOptions options)
    {
        if (options.Chroot.Length > 0 && !options.Chroot.StartsWith('/'))
        {
            throw new ArgumentException($"the chroot '{options.Chroot}' does not begin with a slash", nameof(options));
        }
        _chroot = new Chroot(options.Chroot);
        _watches = new WatchBook(_chroot);
        _session = new ClientSession(options, _watches);
        TimeProvider = options.TimeProvider;
    }

    /// <summary>The session's number; its ephemeral nodes bear it as their owner.</summary>
    public long SessionId => _session.Proof.Id;

    /// <summary>The session timeout that the server granted, in ms.</summary>
    public int SessionTimeoutMs => _session.Proof.TimeoutMs;

    /// <summary>The number of the newest change that this client has seen.</summary>
    public long LastZxid => _session.Proof.LastZxid;

    /// <summary>How the client stands with its servers now.</summary>
    public ConnectionState State => _session.States.Current;

    /// <summary>The state now and each after it, for any number of readers. Ends after <c>Expired</c> or <c>Closed</c>.</summary>
    public IAsyncEnumerable<ConnectionState> StateChanges => _session.States.Changes();

    internal TimeProvider TimeProvider { get; }

    /// <summary>Connects and has a session when it returns.</summary>
    /// <exception cref="ConnectionLossException">No server took the session in time; the message says what the last one did.</exception>
    /// <exception cref="CoordinationException">A server refused an identity.</exception>
    public static async Task<CoordinationClient> ConnectAsync(CoordinationClientOptions options, CancellationToken ct = default)
    {
        var client = new CoordinationClient(options);
        try
        {
            await client._session.ConnectAsync(ct);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects to the servers of a connect string: <c>a:2181,b:2181/chroot</c>.</summary>
    /// <inheritdoc cref="ConnectAsync(CoordinationClientOptions, CancellationToken)"/>
    public static Task<CoordinationClient> ConnectAsync(string connectString, CancellationToken ct = default) =>
        ConnectAsync(CoordinationClientOptions.Parse(connectString), ct);

    /// <summary>Shows the servers one more identity, now and on each connection to come.</summary>
    public Task AddAuthAsync(AuthInfo auth, CancellationToken ct = default) => _session.AddAuthAsync(auth, ct);

    /// <summary>Ends the session: its ephemeral nodes go at once if a server can be reached, else when the session expires.</summary>
    public Task CloseAsync(CancellationToken ct = default) => _session.CloseAsync(ct);

    /// <summary>As <see cref="CloseAsync"/>.</summary>
    public ValueTask DisposeAsync() => _session.DisposeAsync();

    private Task<TResult> ReadAsync<TBody, TResult>(OpCode op, string path, TBody body, JuteRead<TResult> read, CancellationToken ct)
        where TBody : IJuteRecord<TBody> =>
        _session.SendAsync(new Request<TResult>(op, path, RequestFrame.Make(op, body), Checked(op, path, read)) { IsRepeatable = true }, ct);

    private Task<TResult> WriteAsync<TBody, TResult>(OpCode op, string path, TBody body, int dataBytes, JuteRead<TResult> read, CancellationToken ct)
        where TBody : IJuteRecord<TBody> =>
        _session.SendAsync(new Request<TResult>(op, path, RequestFrame.Make(op, body, 128 + path.Length + dataBytes), Checked(op, path, read)), ct);

    private static Func<ErrorCode, ReadOnlyMemory<byte>, T> Checked<T>(OpCode op, string path, JuteRead<T> read) => (error, body) =>
    {
        if (error != ErrorCode.Ok)
        {
            throw ErrorSentences.Exception(error, op, path);
        }
        var reader = new JuteReader(body);
        return read(ref reader);
    };

    private delegate T JuteRead<T>(ref JuteReader reader);
}
