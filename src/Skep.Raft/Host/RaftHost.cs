using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Raft.Log;
using Skep.Raft.Transport;

namespace Skep.Raft;

/// <summary>How a member's log and streams are opened.</summary>
public sealed record RaftHostOptions
{
    /// <summary>Folder of the log; made with mode 0700 where it is missing.</summary>
    public required string Folder { get; init; }

    /// <summary>32 random bytes under which new files are encrypted.</summary>
    public required ReadOnlyMemory<byte> DataKey { get; init; }

    /// <summary>Data keys of earlier times, by which files written before a rotation are still read.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OlderDataKeys { get; init; } = [];

    /// <summary>This member, and where its peers reach it.</summary>
    public required RaftMember Member { get; init; }

    /// <summary>
    /// Opens a stream to a member, authenticated both ways; the other side gives it to <see cref="RaftHost.ServeAsync"/>. Both ends should
    /// fail within seconds when the other is silent (TCP_USER_TIMEOUT): what is written to a peer that is cut off is lost until then.
    /// </summary>
    public required Func<RaftMember, CancellationToken, Task<Stream>> Dial { get; init; }

    /// <summary>Entries kept below a snapshot, for members that are a little behind.</summary>
    public ulong KeepEntries { get; init; } = 500;

    /// <summary>Size of a preallocated file of the log.</summary>
    public int SegmentSizeBytes { get; init; } = LogEngineOptions.DefaultSegmentSizeBytes;

    /// <summary>Spreads the elections of this member's groups; another at each start.</summary>
    public int Seed { get; init; } = System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue);

    /// <summary>Where messages go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The clock; must be monotonic, and not drift by more than a twentieth from the other members'.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>A member of several groups in one process: one log, one sync for all, one stream to each peer.</summary>
public sealed class RaftHost : IAsyncDisposable
{
    private const int MaxQueuedWrites = 1024;
    private static readonly TimeSpan FullPause = TimeSpan.FromSeconds(1);

    private readonly RaftHostOptions _options;
    private readonly RaftLog _log;
    private readonly RaftTransport _transport;
    private readonly GroupTicker _ticker;
    private readonly ConcurrentBag<ReplicaGroup> _groups = [];

    private RaftHost(RaftHostOptions options, RaftLog log)
    {
        _options = options;
        _log = log;
        _transport = new RaftTransport(options.Member, options.Dial, options.Time, options.LoggerFactory.CreateLogger<RaftTransport>());
        _ticker = new GroupTicker(options.Time, _transport);
    }

    /// <summary>Opens the folder, or begins it.</summary>
    /// <exception cref="RaftLogException">The folder cannot be opened; the derived type and message say why.</exception>
    public static async Task<RaftHost> OpenAsync(RaftHostOptions options, CancellationToken ct = default)
    {
        var engine = new LogEngineOptions(new DataKeys(options.DataKey, options.OlderDataKeys))
        {
            SegmentSizeBytes = options.SegmentSizeBytes,
            KeepEntries = options.KeepEntries,
            Time = options.Time,
        };
        var log = await Task.Run(() => RaftLog.Open(options.Folder, engine, MaxQueuedWrites, static t => RaftMeter.SyncSeconds.Record(t.TotalSeconds)), ct).ConfigureAwait(false);
        if (log.Engine.TornTailWasCut)
        {
            GroupMessages.TornTail(options.LoggerFactory.CreateLogger<RaftHost>(), log.Engine.Folder);
        }

        return new RaftHost(options, log);
    }

    /// <summary>Takes up this member's part in a group; its state machine is brought to where it was as the log is read.</summary>
    public async Task<ReplicaGroup> OpenGroupAsync(ReplicaGroupOptions options, IStateMachine machine, CancellationToken ct = default)
    {
        var start = await ReplicaStart.RunAsync(options, _options.Member, _log, machine, ct).ConfigureAwait(false);
        var random = new Random(Mix((uint)_options.Seed, _options.Member.Id, options.GroupId));
        var group = new ReplicaGroup(options, _options.Member, _log, _transport, _ticker, machine, start, random, _options.Time, _options.LoggerFactory.CreateLogger<ReplicaGroup>());
        _groups.Add(group);
        return group;
    }

    /// <summary>
    /// Writes all under another data key from now on, and returns once no file of the folder needs an older one. The folder opens
    /// at every point between with both: keep the new key before the call, and forget the old one after it. A full disk and a
    /// missing leader are waited for. One call at a time.
    /// </summary>
    /// <exception cref="InvalidOperationException">The log holds a group that is not open here.</exception>
    /// <exception cref="LogFailedException">The log takes nothing more.</exception>
    public async Task RotateDataKeyAsync(ReadOnlyMemory<byte> key, CancellationToken ct = default)
    {
        while (!await TryUseKeyAsync(key, ct).ConfigureAwait(false))
        {
            await Task.Delay(FullPause, _options.Time, ct).ConfigureAwait(false);
        }

        foreach (var group in _groups)
        {
            await group.LeaveOlderKeysAsync(ct).ConfigureAwait(false);
        }

        if (!await _log.BetweenWritesAsync(static log => log.TryForgetOlderKeys(), ct).ConfigureAwait(false))
        {
            throw new InvalidOperationException($"{_options.Folder} holds a raft group that is not open, under an older data key; open it and change the key again");
        }
    }

    private async Task<bool> TryUseKeyAsync(ReadOnlyMemory<byte> key, CancellationToken ct)
    {
        try
        {
            return await _log.BetweenWritesAsync(
                log =>
                {
                    log.UseKey(key);
                    return true;
                },
                ct).ConfigureAwait(false);
        }
        catch (LogFullException)
        {
            return false;
        }
    }

    // Members must not wait alike, or none of them is ever first to ask for votes: also where numbers differ in little, and
    // where a member's seed is its number, so that each part is mixed in before the next one meets it.
    internal static int Mix(ulong seed, ulong member, ulong group)
    {
        var mixed = 0UL;
        foreach (var part in (ReadOnlySpan<ulong>)[seed, member, group])
        {
            mixed = (mixed ^ part) * 0x9E37_79B9_7F4A_7C15;
            mixed ^= mixed >> 32;
        }

        return (int)(mixed & int.MaxValue);
    }

    /// <summary>Whether the stream to a member stands; false where nothing was to be sent to it yet.</summary>
    public bool IsConnected(ulong member) => _transport.IsConnected(member);

    /// <summary>Takes what a peer sends on a stream that it dialled, until it ends; closes the stream.</summary>
    /// <param name="stream">Authenticated.</param>
    /// <param name="from">Whose it is, as the authentication says.</param>
    /// <param name="ct">Ends it.</param>
    public Task ServeAsync(Stream stream, ulong from, CancellationToken ct) => _transport.ServeAsync(stream, from, ct);

    /// <summary>Closes the groups, the streams and the log.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var group in _groups)
        {
            await group.DisposeAsync().ConfigureAwait(false);
        }

        _ticker.Dispose();
        await _transport.DisposeAsync().ConfigureAwait(false);
        _log.Dispose();
    }
}
