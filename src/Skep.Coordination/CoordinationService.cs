using System.Net;
using Microsoft.Extensions.Logging;
using Skep.Coordination.Auditing;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Raft;

namespace Skep.Coordination;

/// <summary>
/// One member of the coordination service: znodes, sessions and watches agreed on by a Raft group, served to clients of ZooKeeper's
/// protocol. Made first, since the group is opened with its <see cref="Machine"/>; served from <see cref="StartAsync"/> on.
/// </summary>
public sealed class CoordinationService : IAsyncDisposable
{
    /// <summary>The group of the znodes, of all groups in the managers' log.</summary>
    public const ulong GroupId = 2;

    // A command holds many writes, and a snapshot the whole tree.
    private const ulong SnapshotEveryEntries = 50_000;
    private const long SnapshotEverySizeBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan IdlePeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(Member.TickMs);
    private readonly CoordinationOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<CoordinationService> _logger;
    private readonly GroupConsensus _consensus;
    private readonly Member _member;
    private readonly CoordinationMeter _meter;
    private readonly ITimer _ticker;
    private AuditFile? _audit;
    private Listener? _listener;
    private bool _isIdle;

    /// <param name="options">How it is served.</param>
    /// <param name="time">The clock; must be monotonic, and not drift by more than a twentieth from the other members'.</param>
    /// <param name="logs">Where messages go.</param>
    public CoordinationService(CoordinationOptions options, TimeProvider time, ILoggerFactory logs)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        (_options, _time, _logger, _consensus) = (options, time, logs.CreateLogger<CoordinationService>(), new GroupConsensus(options.MemberId));
        long start = time.GetTimestamp();
        _member = new Member(
            new MemberOptions
            {
                LinearizableReads = options.LinearizableReads,
                EnforceQuotas = options.EnforceQuotas,
                MaxFrameBytes = options.MaxBufferBytes,
                PasswordOf = options.SaslUsers is { } users ? user => users.GetValueOrDefault(user) : null,
                Audit = options is { AuditFile: not null, Listen: not null } ? line => _audit?.Add(line) : null,
                Log = _logger,
                NowMs = () => (long)time.GetElapsedTime(start).TotalMilliseconds,
                WallMs = () => time.GetUtcNow().ToUnixTimeMilliseconds(),
                Words = options.Words,
                Settings = Settings,
            },
            _consensus);
        Machine = new CoordinationMachine(_member);
        _meter = new CoordinationMeter(_member);
        _ticker = time.CreateTimer(static me => ((CoordinationService)me!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What the group is to be opened with.</summary>
    public IStateMachine Machine { get; }

    /// <summary>How the group is to be opened; its founders are for others to say.</summary>
    public ReplicaGroupOptions GroupOptions => new()
    {
        GroupId = GroupId,
        Aside = _member.ReceiveAside,
        StandingChanged = () => ThreadPool.UnsafeQueueUserWorkItem(static member => member.Tick(), _member, preferLocal: false),
        SnapshotEveryEntries = SnapshotEveryEntries,
        SnapshotEverySizeBytes = SnapshotEverySizeBytes,
    };

    /// <summary>Where clients are served; null while they are not.</summary>
    public IPEndPoint? Endpoint => _listener?.Endpoint;

    /// <summary>Begins to serve clients, where an address was given.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be listened on.</exception>
    /// <exception cref="IOException">The audit log cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The audit log must not be written to.</exception>
    public Task StartAsync(ReplicaGroup group, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        _consensus.Group = group;
        if (_options is { AuditFile: { } audit, Listen: not null })
        {
            _audit = new AuditFile(audit, _time, _logger);
        }
        _listener = _options.Listen is null ? null : new Listener(_options, _member, _time, _logger);
        _audit?.Add(AuditLines.OfServer("serverStart", "success"));
        _ticker.Change(Period, Period);
        return Task.CompletedTask;
    }

    /// <summary>Ends all connections; their sessions live on in the group until their time is over.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ticker.DisposeAsync().ConfigureAwait(false);
        _meter.Dispose();
        if (_listener is { } listener)
        {
            await listener.DisposeAsync().ConfigureAwait(false);
        }
        if (_audit is { } audit)
        {
            audit.Add(AuditLines.OfServer("serverStop", "invoked"));
            await audit.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Tick()
    {
        _member.Tick();
        bool isIdle = _member.IsIdle;
        if (isIdle != _isIdle)
        {
            _isIdle = isIdle;
            _ticker.Change(isIdle ? IdlePeriod : Period, isIdle ? IdlePeriod : Period);
        }
    }

    private string Settings() => string.Join('\n',
        $"clientPort={Endpoint?.Port}", $"clientPortAddress={Endpoint?.Address}", $"maxClientCnxns={_options.MaxConnectionsPerAddress}",
        $"jute.maxbuffer={_options.MaxBufferBytes}",
        $"enforceQuota={(_options.EnforceQuotas ? "true" : "false")}",
        $"minSessionTimeout={MemberOptions.LeastTimeoutMs}", $"maxSessionTimeout={MemberOptions.LongestTimeoutMs}",
        $"serverId={_options.MemberId}", $"reads={(_options.LinearizableReads ? "linearizable" : "sequential")}", "");
}
