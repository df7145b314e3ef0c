using System.Runtime.CompilerServices;
using Skep.Coordination.Client.Session;
using Skep.Coordination.Client.Watches;
using Skep.Jute;

namespace Skep.Coordination.Client;

public sealed partial class CoordinationClient
{
    /// <summary>Events that wait to be read before a watch's stream ends with <see cref="WatchOverflowException"/>.</summary>
    public const int DefaultWatchCapacity = 4096;

    /// <summary>
    /// The events at a path (or below it, if recursive) from the moment the enumeration begins. Where it must be known that the watch
    /// stands before something is read, use <see cref="OpenWatchAsync"/>. Needs servers of 3.6 or newer.
    /// </summary>
    /// <inheritdoc cref="OpenWatchAsync" path="/exception"/>
    public async IAsyncEnumerable<WatchedEvent> WatchAsync(string path, WatchMode mode, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await using WatchStream stream = await OpenWatchAsync(path, mode, ct: ct);
        await foreach (WatchedEvent e in stream.WithCancellation(ct))
        {
            yield return e;
        }
    }

    /// <summary>Sets a persistent watch; it stands when this returns. The znode need not exist.</summary>
    /// <param name="path">What to watch.</param>
    /// <param name="mode">How far.</param>
    /// <param name="capacity">Events that may wait to be read; with one more, the stream ends with <see cref="WatchOverflowException"/>.</param>
    /// <param name="ct">Gives up waiting.</param>
    /// <exception cref="InvalidOperationException">This client watches the path in the other mode.</exception>
    public async Task<WatchStream> OpenWatchAsync(string path, WatchMode mode, int capacity = DefaultWatchCapacity, CancellationToken ct = default)
    {
        var stream = new WatchStream(path, _chroot.Full(path), mode, capacity) { Forget = Forget };
        RequestFrame frame = RequestFrame.Make(OpCode.AddWatch, new AddWatchRequest(stream.ServerPath, (int)mode));
        var request = new Request<bool>(OpCode.AddWatch, path, frame, Checked(OpCode.AddWatch, path, static (ref JuteReader _) => true)) { IsRepeatable = true };
        try
        {
            await _session.SendAsync(request, ct, () => _watches.Add(stream));
            return stream;
        }
        catch (CoordinationException e)
        {
            _watches.Refused(stream, e);
            throw;
        }
        catch
        {
            Forget(stream);
            throw;
        }
    }

    /// <summary>As <see cref="GetDataAsync"/>, with a watch for the node's next change or end.</summary>
    public Task<Watched<NodeData>> GetDataAndWatchAsync(string path, CancellationToken ct = default) =>
        ReadAndWatchAsync(OpCode.GetData, path, WatchKind.Data, Checked(OpCode.GetData, path, ReadData), ct);

    /// <summary>As <see cref="ExistsAsync"/>, with a watch for the node's making, next change or end.</summary>
    public Task<Watched<Stat?>> ExistsAndWatchAsync(string path, CancellationToken ct = default) =>
        ReadAndWatchAsync(OpCode.Exists, path, WatchKind.Exist, (error, body) => ReadExists(path, error, body), ct);

    /// <summary>As <see cref="GetChildrenAsync"/>, with a watch for the next child more or less, or the node's end.</summary>
    public Task<Watched<NodeChildren>> GetChildrenAndWatchAsync(string path, CancellationToken ct = default) =>
        ReadAndWatchAsync(OpCode.GetChildren2, path, WatchKind.Child, Checked(OpCode.GetChildren2, path, ReadChildren), ct);

    private async Task<Watched<T>> ReadAndWatchAsync<T>(OpCode op, string path, WatchKind kind, Func<ErrorCode, ReadOnlyMemory<byte>, T> read, CancellationToken ct)
    {
        var watch = new OneShot(_chroot.Full(path), kind);
        RequestFrame frame = RequestFrame.Make(op, new PathWatchRequest(watch.Path, true));
        var request = new Request<T>(op, path, frame, (error, body) =>
        {
            T result = read(error, body);
            // A node that exists is watched for its data, wherever the watch was asked for.
            _watches.Activate(watch, kind == WatchKind.Exist && error == ErrorCode.Ok ? WatchKind.Data : kind);
            return result;
        })
        { IsRepeatable = true };
        try
        {
            T result = await _session.SendAsync(request, ct, () =>
            {
                if (!_watches.Add(watch))
                {
                    frame.ClearWatchFlag();
                }
            });
            return new Watched<T>(result, watch.Task, () => Forget(watch));
        }
        catch (CoordinationException)
        {
            // No answer, no watch: the server has nothing to take back.
            lock (_watches.Gate)
            {
                _watches.Remove(watch);
            }
            throw;
        }
        catch
        {
            Forget(watch);
            throw;
        }
    }

    private void Forget(OneShot watch)
    {
        lock (_watches.Gate)
        {
            TakeBack(watch.Path, _watches.Remove(watch));
        }
    }

    private void Forget(WatchStream stream)
    {
        lock (_watches.Gate)
        {
            TakeBack(stream.ServerPath, _watches.Remove(stream));
        }
    }

    // The server's request takes all of a path's watches back, so it is sent only when nobody here watches the path.
    private void TakeBack(string serverPath, bool isLast)
    {
        if (isLast)
        {
            const int any = 3;
            RequestFrame frame = RequestFrame.Make(OpCode.RemoveWatches, new TypedWatchRequest(serverPath, any));
            _session.TryPost(new Request<bool>(OpCode.RemoveWatches, serverPath, frame, static (_, _) => true));
        }
    }
}
