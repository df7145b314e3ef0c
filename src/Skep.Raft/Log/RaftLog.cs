using System.Threading.Channels;

namespace Skep.Raft.Log;

/// <summary>
/// The shell around <see cref="LogEngine"/>: one thread writes, and one sync serves all that wait at that moment.
/// A task completes only when its records are on disk.
/// </summary>
internal sealed class RaftLog : IDisposable
{
    private const int MaxBatchSizeBytes = 4 * 1024 * 1024;
    private const double PrepareSpareAtUse = 0.5;

    private readonly LogEngine _engine;
    private readonly FolderLock _lock;
    private readonly SpareSegment _spare;
    private readonly IDisk _disk;
    private readonly LogEngineOptions _options;
    private readonly Thread _thread;
    private readonly Action<TimeSpan> _onSync;
    private readonly Channel<LogRequest> _requests;
    private readonly List<LogRequest> _batch = [];
    private readonly List<LogRecord> _records = [];
    private readonly Dictionary<ulong, ulong> _lastIndexes = [];
    private readonly object _bell = new();
    private LogRequest? _heldBack;
    private bool _sleeps;
    private bool _closed;

    private RaftLog(LogEngine engine, IDisk disk, LogEngineOptions options, FolderLock folderLock, SpareSegment spare, int maxQueued, Action<TimeSpan> onSync)
    {
        _engine = engine;
        _disk = disk;
        _options = options;
        _lock = folderLock;
        _spare = spare;
        _onSync = onSync;
        _requests = Channel.CreateBounded<LogRequest>(new BoundedChannelOptions(maxQueued) { SingleReader = true });
        _thread = new Thread(Run) { IsBackground = true, Name = "raft log" };
        _thread.Start();
    }

    public LogEngine Engine => _engine;

    public int QueueDepth => _requests.Reader.Count;

    /// <summary>Opens the log of a folder; blocks while it reads.</summary>
    public static RaftLog Open(string folder, LogEngineOptions options, int maxQueued, Action<TimeSpan> onSync)
    {
        var disk = new PosixDisk(folder);
        var folderLock = FolderLock.Take(disk.Folder);
        try
        {
            var spare = new SpareSegment(disk, options.SegmentSizeBytes);
            options = options with { TakeSpare = spare.Take };
            return new RaftLog(LogEngine.Open(disk, options), disk, options, folderLock, spare, maxQueued, onSync);
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>Appends records; the task completes when they are durable.</summary>
    /// <exception cref="LogFullException">No room; nothing was written, and a later append may succeed.</exception>
    /// <exception cref="LogFailedException">The log takes nothing more.</exception>
    public Task AppendAsync(IReadOnlyList<LogRecord> records, CancellationToken ct) => AppendAsync(new LogRequest(records), ct);

    /// <inheritdoc cref="AppendAsync(IReadOnlyList{LogRecord}, CancellationToken)"/>
    public Task AppendAsync(LogRequest request, CancellationToken ct)
    {
        if (ct.IsCancellationRequested || !_requests.Writer.TryWrite(request))
        {
            return QueueAsync(request, ct);
        }

        Ring();
        return request.Task;
    }

    /// <summary>Does something with the engine between two writes, on the log's own thread.</summary>
    public async Task<T> BetweenWritesAsync<T>(Func<LogEngine, T> work, CancellationToken ct)
    {
        var result = default(T);
        await AppendAsync(new LogRequest([]) { Work = engine => result = work(engine) }, ct).ConfigureAwait(false);
        return result!;
    }

    /// <summary>Begins a snapshot file; note it with a <see cref="RecordType.SnapshotMarker"/> once it is committed.</summary>
    public SnapshotWriter CreateSnapshot(ulong group, ulong index, ulong term, ulong configurationIndex, ReadOnlySpan<byte> configuration) =>
        SnapshotWriter.Create(_disk, _options, group, index, term, configurationIndex, configuration);

    public SnapshotReader OpenSnapshot(ulong group, ulong index) => SnapshotReader.Open(_disk, _options.Keys, group, index);

    /// <summary>Writes what waits, then closes.</summary>
    public void Dispose()
    {
        if (_requests.Writer.TryComplete())
        {
            lock (_bell)
            {
                _closed = true;
                Monitor.Pulse(_bell);
            }

            _thread.Join();
            _engine.Dispose();
            _spare.Dispose();
            _lock.Dispose();
        }
    }

    private async Task QueueAsync(LogRequest request, CancellationToken ct)
    {
        await _requests.Writer.WriteAsync(request, ct).ConfigureAwait(false);
        Ring();
        await request.Task.ConfigureAwait(false);
    }

    private void Ring()
    {
        // The thread says that it sleeps, and then looks once more: one of the two sees the other.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _sleeps))
        {
            lock (_bell)
            {
                Monitor.Pulse(_bell);
            }
        }
    }

    /// <summary>Waits for requests without turning in place: the cores have other members' work to do.</summary>
    /// <returns>false when there will be none.</returns>
    private bool Await()
    {
        if (_heldBack is not null || _requests.Reader.Count > 0)
        {
            return true;
        }

        lock (_bell)
        {
            Volatile.Write(ref _sleeps, true);
            Interlocked.MemoryBarrier();
            while (_requests.Reader.Count == 0 && !_closed)
            {
                Monitor.Wait(_bell);
            }

            Volatile.Write(ref _sleeps, false);
        }

        return _requests.Reader.Count > 0;
    }

    private void Run()
    {
        while (Await())
        {
            Collect();
            if (_batch.Count == 0)
            {
                continue;
            }

            try
            {
                Write();
                _onSync(_engine.LastSyncTime);
                _batch.ForEach(r => r.TrySetResult());
            }
            catch (Exception e)
            {
                _batch.ForEach(r => r.TrySetException(e));
            }

            if (_engine.SegmentUse > PrepareSpareAtUse)
            {
                _spare.Prepare();
            }
        }
    }

    private void Collect()
    {
        _batch.Clear();
        _records.Clear();
        _lastIndexes.Clear();
        long size = 0;
        while (Next() is { } request)
        {
            if (_batch.Count > 0 && (!request.IsBatchable || size + request.SizeBytes > MaxBatchSizeBytes))
            {
                _heldBack = request;
                return;
            }

            if (_engine.Check(request.Records, _lastIndexes) is { } wrong)
            {
                request.TrySetException(new ArgumentException(wrong));
                continue;
            }

            _batch.Add(request);
            _records.AddRange(request.Records);
            size += request.SizeBytes;
            if (!request.IsBatchable)
            {
                return;
            }
        }
    }

    private LogRequest? Next()
    {
        if (_heldBack is { } held)
        {
            _heldBack = null;
            return held;
        }

        return _requests.Reader.TryRead(out var request) ? request : null;
    }

    private void Write()
    {
        if (_batch is [{ Work: { } work }])
        {
            work(_engine);
        }
        else
        {
            _engine.Store(_records);
        }
    }
}
