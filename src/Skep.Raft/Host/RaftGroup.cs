using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>
/// A member of a Raft group: takes commands, makes them durable, applies them in order. This host serves a group of
/// one voter, whose own sync is the majority; it keeps terms, votes and configurations as any member does.
/// </summary>
public sealed class RaftGroup : IAsyncDisposable
{
    private const int MaxBatchEntries = 4096;
    private const int MaxBatchSizeBytes = 2 * 1024 * 1024;

    private readonly RaftGroupOptions _options;
    private readonly RaftLog _log;
    private readonly IStateMachine _machine;
    private readonly ILogger _logger;
    private readonly Channel<Proposal> _proposals;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ulong _term;
    private readonly byte[] _configurationBytes;
    private readonly ulong _configurationIndex;
    private readonly SnapshotTaker _snapshots;
    private readonly Task _loop;
    private ulong _lastIndex;
    private ulong _appliedIndex;
    private bool _full;
    private int _disposed;

    internal RaftGroup(RaftGroupOptions options, RaftLog log, IStateMachine machine, ILogger logger, GroupStart start)
    {
        _options = options;
        _log = log;
        _machine = machine;
        _logger = logger;
        _term = start.Term;
        _lastIndex = _appliedIndex = start.LastIndex;
        Configuration = start.Configuration;
        _configurationBytes = start.Configuration.Encode();
        _configurationIndex = start.ConfigurationIndex;
        _snapshots = new SnapshotTaker(options.GroupId, options.SnapshotEveryEntries, log, machine, logger, start.SnapshotIndex);
        _proposals = Channel.CreateBounded<Proposal>(new BoundedChannelOptions(options.MaxQueuedProposals) { SingleReader = true });
        _loop = Task.Run(RunAsync);
    }

    /// <summary>The members as recorded in the log.</summary>
    public RaftConfiguration Configuration { get; }

    /// <summary>
    /// Ends when the group is closed, and fails with what stopped it when it stops by itself. A process whose group
    /// has stopped serves nothing more and should exit, saying why.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>The state at this moment.</summary>
    public RaftGroupMetrics Metrics => new(
        _term,
        Volatile.Read(ref _lastIndex),
        Volatile.Read(ref _appliedIndex),
        _log.Engine.Read(_options.GroupId, static g => g.SnapshotIndex),
        _proposals.Reader.Count,
        _log.Engine.Syncs,
        _log.Engine.LastSyncTime,
        _log.Engine.SegmentCount);

    /// <summary>Opens the folder, or begins it, brings the state machine to where it was, and starts a new term.</summary>
    /// <exception cref="RaftLogException">The folder cannot be opened; the derived type and message say why.</exception>
    /// <exception cref="InvalidOperationException">The folder is another member's, or that of a group with other voters.</exception>
    public static async Task<RaftGroup> OpenAsync(RaftGroupOptions options, IStateMachine machine, CancellationToken ct = default)
    {
        var logger = options.LoggerFactory.CreateLogger<RaftGroup>();
        var keys = new DataKeys(options.DataKey, options.OlderDataKeys);
        var engineOptions = new LogEngineOptions(keys)
        {
            SegmentSizeBytes = options.SegmentSizeBytes,
            KeepEntries = options.KeepEntries,
            Time = options.Time,
        };
        var log = await Task.Run(
            () => RaftLog.Open(options.Folder, engineOptions, options.MaxQueuedProposals, static t => RaftMeter.SyncSeconds.Record(t.TotalSeconds)), ct)
            .ConfigureAwait(false);
        try
        {
            if (log.Engine.TornTailWasCut)
            {
                GroupMessages.TornTail(logger, log.Engine.Folder);
            }

            var start = await GroupStart.RunAsync(options, log, machine, ct).ConfigureAwait(false);
            GroupMessages.Opened(logger, options.GroupId, start.Term, log.Engine.RecoveredRecords, start.LastIndex, start.SnapshotIndex);
            return new RaftGroup(options, log, machine, logger, start);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Proposes a command; returns when it is durable and applied.</summary>
    /// <param name="command">1 byte to 4 MiB; must not be changed until the call has returned.</param>
    /// <param name="ct">Gives up waiting for a place in the queue; what has a place runs to its end.</param>
    /// <returns>The command's index.</returns>
    /// <exception cref="LogFullException">The disk is full; the command was not taken, a later one may be.</exception>
    /// <exception cref="LogFailedException">The log has failed; whether the command is durable is not known.</exception>
    /// <exception cref="ArgumentException">The command is empty or too long.</exception>
    /// <exception cref="ObjectDisposedException">The group is closed.</exception>
    public async Task<ulong> ProposeAsync(ReadOnlyMemory<byte> command, CancellationToken ct = default)
    {
        if (command.Length is 0 or > LogFormat.MaxPayloadSizeBytes)
        {
            throw new ArgumentException($"a command has {command.Length} bytes, expected 1 to {LogFormat.MaxPayloadSizeBytes}", nameof(command));
        }

        var proposal = new Proposal(command, TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _proposals.Writer.WriteAsync(proposal, ct).ConfigureAwait(false);
        }
        catch (ChannelClosedException e)
        {
            throw e.InnerException ?? new ObjectDisposedException(nameof(RaftGroup), "the raft group is closed");
        }

        return await proposal.Task.ConfigureAwait(false);
    }

    /// <summary>Takes no more proposals, ends those that wait, closes the log.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _proposals.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        await _snapshots.DisposeAsync().ConfigureAwait(false);
        _log.Dispose();
        _completion.TrySetResult();
    }

    private async Task RunAsync()
    {
        var batch = new List<Proposal>();
        try
        {
            while (await _proposals.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                Collect(batch);
                try
                {
                    await AppendAsync(batch).ConfigureAwait(false);
                }
                catch (LogFullException e)
                {
                    Refuse(batch, e);
                    continue;
                }

                Apply(batch);
                _snapshots.Consider(_appliedIndex, _term, _configurationIndex, _configurationBytes);
            }
        }
        catch (Exception e)
        {
            Stop(batch, e);
        }
    }

    private void Collect(List<Proposal> batch)
    {
        batch.Clear();
        var size = 0;
        while (batch.Count < MaxBatchEntries && size < MaxBatchSizeBytes && _proposals.Reader.TryRead(out var proposal))
        {
            batch.Add(proposal);
            size += proposal.Command.Length;
        }
    }

    private async Task AppendAsync(List<Proposal> batch)
    {
        var records = new LogRecord[batch.Count];
        for (var i = 0; i < records.Length; i++)
        {
            records[i] = LogRecord.Command(_options.GroupId, _lastIndex + (ulong)i + 1, _term, batch[i].Command);
        }

        await _log.AppendAsync(records, CancellationToken.None).ConfigureAwait(false);
        Volatile.Write(ref _lastIndex, _lastIndex + (ulong)records.Length);
        if (_full)
        {
            _full = false;
            GroupMessages.RoomAgain(_logger, _options.GroupId);
        }
    }

    private void Apply(List<Proposal> batch)
    {
        foreach (var proposal in batch)
        {
            var index = _appliedIndex + 1;
            _machine.Apply(index, proposal.Command);
            Volatile.Write(ref _appliedIndex, index);
            proposal.TrySetResult(index);
        }

        RaftMeter.Proposals.Add(batch.Count);
    }

    private void Refuse(List<Proposal> batch, LogFullException error)
    {
        if (!_full)
        {
            _full = true;
            GroupMessages.Full(_logger, _options.GroupId, error.Message);
        }

        batch.ForEach(p => p.TrySetException(error));
    }

    private void Stop(List<Proposal> batch, Exception error)
    {
        GroupMessages.Stopped(_logger, _options.GroupId, error);
        _proposals.Writer.TryComplete(error);
        batch.ForEach(p => p.TrySetException(error));
        while (_proposals.Reader.TryRead(out var waiting))
        {
            waiting.TrySetException(error);
        }

        _completion.TrySetException(error);
    }
}
