using System.Runtime.InteropServices;
using System.Threading.Channels;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Skep.Identity.Files;

namespace Skep.Agent.Tasks;

/// <summary>
/// The node's tasks on disk, so that a restarted agent knows what runs. Changes are appended by one writer, which syncs
/// once for all that came in meanwhile. When most of the file is history, or a write has failed, the file is written anew,
/// whole.
/// </summary>
internal sealed partial class TaskStore : IAsyncDisposable
{
    private const int QueueLength = 4096;
    private const int MaxBatchSizeBytes = 4 * 1024 * 1024;
    private const long MinRewriteSizeBytes = 1024 * 1024;
    private const string FileName = "tasks";

    private readonly Channel<Change> _changes = Channel.CreateBounded<Change>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly Dictionary<string, (byte[] Task, byte[] Status)> _live = [];
    private readonly string _path;
    private readonly ILogger _logger;
    private readonly Task _writer;
    private SafeFileHandle? _file;
    private long _sizeBytes;
    private long _liveSizeBytes;

    private TaskStore(string path, Dictionary<string, SwarmTask> tasks, ILogger logger)
    {
        _path = path;
        _logger = logger;
        foreach (var task in tasks.Values)
        {
            Keep(task.Id, (TaskRecords.Given(task), TaskRecords.StatusOf(task.Id, task.Status ?? new TaskStatus())));
        }

        Tasks = [.. tasks.Values];
        Rewrite();
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>The tasks as they were when the store was opened, with the last status known.</summary>
    public IReadOnlyList<SwarmTask> Tasks { get; }

    /// <summary>Opens the file in the folder, or makes both.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or of another format; file and offset are named.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static TaskStore Open(string folder, ILogger logger)
    {
        WholeFile.MakeOwnerOnlyFolder(folder);
        var path = Path.Combine(folder, FileName);
        var tasks = new Dictionary<string, SwarmTask>(StringComparer.Ordinal);
        if (File.Exists(path))
        {
            var content = File.ReadAllBytes(path);
            var whole = TaskRecords.Read(content, path, tasks);
            if (whole < content.Length)
            {
                TaskLog.TornTailCut(logger, path, content.Length - whole);
            }
        }

        return new TaskStore(path, tasks, logger);
    }

    /// <summary>Writes tasks down, and forgets others. Completes when both are on disk.</summary>
    /// <exception cref="IOException">They could not be written.</exception>
    public async Task PutAsync(IReadOnlyCollection<SwarmTask> given, IReadOnlyCollection<string> removed, CancellationToken cancellationToken)
    {
        if (given.Count + removed.Count == 0)
        {
            return;
        }

        var change = new Change(given, removed, null, null, new(TaskCreationOptions.RunContinuationsAsynchronously));
        await _changes.Writer.WriteAsync(change, cancellationToken);
        await change.Done!.Task;
    }

    /// <summary>
    /// Writes a status down, soon. Nobody waits for it: the status before it leads a restarted agent to the same place.
    /// </summary>
    public ValueTask PutStatusAsync(string taskId, TaskStatus status, CancellationToken cancellationToken) =>
        _changes.Writer.WriteAsync(new Change([], [], taskId, status, null), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _changes.Writer.TryComplete();
        await _writer;
        _file?.Dispose();
    }

    private async Task WriteAsync()
    {
        var batch = new List<Change>();
        var frames = new List<ReadOnlyMemory<byte>>();
        while (await _changes.Reader.WaitToReadAsync())
        {
            var sizeBytes = 0;
            batch.Clear();
            frames.Clear();
            while (sizeBytes < MaxBatchSizeBytes && _changes.Reader.TryRead(out var change))
            {
                batch.Add(change);
                sizeBytes += Collect(change, frames);
            }

            var failure = Write(frames, sizeBytes);
            foreach (var change in batch)
            {
                if (failure is null)
                {
                    change.Done?.SetResult();
                }
                else
                {
                    change.Done?.SetException(failure);
                }
            }
        }
    }

    private int Collect(Change change, List<ReadOnlyMemory<byte>> frames)
    {
        var before = frames.Count;
        foreach (var task in change.Given)
        {
            var frame = TaskRecords.Given(task);
            var known = _live.TryGetValue(task.Id, out var live);
            Keep(task.Id, (frame, known ? live.Status : TaskRecords.StatusOf(task.Id, task.Status ?? new TaskStatus())));
            frames.Add(frame);
        }

        foreach (var id in change.Removed)
        {
            if (_live.Remove(id, out var live))
            {
                _liveSizeBytes -= live.Task.Length + live.Status.Length;
                frames.Add(TaskRecords.Removed(id));
            }
        }

        if (change.StatusOf is { } taskId && _live.TryGetValue(taskId, out var known2))
        {
            var frame = TaskRecords.StatusOf(taskId, change.Status!);
            Keep(taskId, (known2.Task, frame));
            frames.Add(frame);
        }

        var sizeBytes = 0;
        for (var i = before; i < frames.Count; i++)
        {
            sizeBytes += frames[i].Length;
        }

        return sizeBytes;
    }

    private void Keep(string id, (byte[] Task, byte[] Status) live)
    {
        if (_live.TryGetValue(id, out var before))
        {
            _liveSizeBytes -= before.Task.Length + before.Status.Length;
        }

        _live[id] = live;
        _liveSizeBytes += live.Task.Length + live.Status.Length;
    }

    private IOException? Write(List<ReadOnlyMemory<byte>> frames, int sizeBytes)
    {
        if (frames.Count == 0)
        {
            return null;
        }

        try
        {
            if (_file is null || _sizeBytes + sizeBytes > Math.Max(MinRewriteSizeBytes, 4 * _liveSizeBytes))
            {
                Rewrite();
                return null;
            }

            RandomAccess.Write(_file, frames, _sizeBytes);
            if (DataSync(_file) != 0)
            {
                throw new IOException($"fdatasync {_path}: {Marshal.GetLastPInvokeErrorMessage()}");
            }

            _sizeBytes += sizeBytes;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What the file holds now is anybody's guess, so the next change writes it anew.
            TaskLog.StoreFailed(_logger, _path, e.Message);
            _file?.Dispose();
            _file = null;
            return e as IOException ?? new IOException(e.Message, e);
        }
    }

    private void Rewrite()
    {
        _file?.Dispose();
        _file = null;
        using var content = new MemoryStream();
        content.Write(TaskRecords.Header);
        foreach (var (task, status) in _live.Values)
        {
            content.Write(task);
            content.Write(status);
        }

        WholeFile.Write(_path, content.GetBuffer().AsSpan(0, (int)content.Length));
        _file = File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.Read);
        _sizeBytes = content.Length;
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeFileHandle file);

    private sealed record Change(
        IReadOnlyCollection<SwarmTask> Given, IReadOnlyCollection<string> Removed, string? StatusOf, TaskStatus? Status, TaskCompletionSource? Done);
}
