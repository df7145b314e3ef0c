using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>A request, from its call to its end. It is in one place at a time: the queue, or what is under way on a connection.</summary>
internal abstract class Request(OpCode op, string path, RequestFrame frame)
{
    public const int PingXid = -2;
    public const int AuthXid = -4;
    public const int SetWatchesXid = -8;

    public OpCode Op => op;
    public string Path => path;
    public RequestFrame Frame => frame;

    /// <summary>A number of its own kind (ping, auth, setWatches); 0 for the next in turn.</summary>
    public int FixedXid { get; init; }

    /// <summary>The number it was sent with.</summary>
    public int Xid { get; set; }

    /// <summary>On how many connections it was sent.</summary>
    public int TimesSent { get; set; }

    /// <summary>May be sent a second time without harm.</summary>
    public bool IsRepeatable { get; init; }

    /// <summary>Whether the caller has gone.</summary>
    public abstract bool IsAbandoned { get; }

    /// <summary>Ends it with the server's answer; runs on the reader, in the order of answers and events.</summary>
    public abstract void Answer(ErrorCode error, ReadOnlyMemory<byte> body);

    /// <summary>Ends it without an answer.</summary>
    public abstract void Fail(Exception reason);
}

/// <summary>A request with the result that its answer is read as.</summary>
internal sealed class Request<T>(OpCode op, string path, RequestFrame frame, Func<ErrorCode, ReadOnlyMemory<byte>, T> read) : Request(op, path, frame)
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => _done.Task;

    public override bool IsAbandoned => _done.Task.IsCompleted;

    public void Cancel(CancellationToken token) => _done.TrySetCanceled(token);

    public override void Answer(ErrorCode error, ReadOnlyMemory<byte> body)
    {
        T result;
        try
        {
            result = read(error, body);
        }
        catch (CoordinationException e)
        {
            _done.TrySetException(e);
            return;
        }
        catch (JuteFormatException e)
        {
            // What cannot be read says that the stream is out of step: the connection goes as well.
            _done.TrySetException(new CoordinationException(ErrorCode.MarshallingError, Path, $"{Op} {Path}: the answer cannot be read: {e.Message}", e));
            throw;
        }
        _done.TrySetResult(result);
    }

    public override void Fail(Exception reason) => _done.TrySetException(reason);
}
