using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Channels;
using Skep.Jute;

namespace Skep.Coordination.Client.Session;

/// <summary>
/// One connection with the session on it: sends what is queued, without waiting for answers, and gives each answer to the request it
/// belongs to. The server answers in order, so what is under way is a queue too.
/// </summary>
internal sealed class Connection(
    Stream stream, FrameReader frames, SessionProof proof, TimeProvider time, Action<WatcherEvent, long> onEvent, Action<Request> onEnded)
{
    private const int FlushBytes = 64 * 1024;
    private readonly Queue<Request> _underWay = new();
    private readonly Queue<Request> _auth = new();
    private long _sentAt = time.GetTimestamp();
    private long _answeredAt = time.GetTimestamp();
    private int _xid;

    /// <summary>Works until the connection is lost, which it always is in the end: the exception says why.</summary>
    public async Task RunAsync(IReadOnlyList<Request> first, Channel<Request> queue, CancellationToken ct)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task[] parts = [SendAsync(first, queue.Reader, over.Token), ReceiveAsync(over.Token), KeepAliveAsync(queue.Writer, over.Token)];
        Task ended = await Task.WhenAny(parts);
        await over.CancelAsync();
        await stream.DisposeAsync();
        await Task.WhenAll(parts).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await ended;
    }

    /// <summary>What was sent, or was about to be, and has no answer; asked for after the connection's end.</summary>
    public IEnumerable<Request> Unanswered() => _auth.Concat(_underWay);

    private async Task SendAsync(IReadOnlyList<Request> first, ChannelReader<Request> queue, CancellationToken ct)
    {
        PipeWriter output = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        try
        {
            foreach (Request request in first)
            {
                Write(request, output);
            }
            do
            {
                while (queue.TryRead(out Request? request))
                {
                    Write(request, output);
                    if (output.UnflushedBytes >= FlushBytes)
                    {
                        await output.FlushAsync(ct);
                    }
                }
                await output.FlushAsync(ct);
                Volatile.Write(ref _sentAt, time.GetTimestamp());
            }
            while (await queue.WaitToReadAsync(ct));
        }
        catch (Exception e)
        {
            // Gives the buffers back; with an exception nothing more is written.
            await output.CompleteAsync(e);
            throw;
        }
    }

    private void Write(Request request, PipeWriter output)
    {
        if (request.IsAbandoned)
        {
            onEnded(request);
            return;
        }
        _xid = _xid == int.MaxValue ? 1 : _xid + 1;
        request.Xid = request.FixedXid == 0 ? _xid : request.FixedXid;
        request.Frame.SetXid(request.Xid);
        request.TimesSent++;
        if (request.FixedXid != Request.PingXid)
        {
            lock (_underWay)
            {
                (request.FixedXid == Request.AuthXid ? _auth : _underWay).Enqueue(request);
            }
        }
        output.Write(request.Frame.Bytes.Span);
    }

    private async Task ReceiveAsync(CancellationToken ct)
    {
        while (true)
        {
            byte[] frame;
            try
            {
                frame = await frames.ReadAsync(ct);
            }
            catch (JuteFormatException e)
            {
                RefuseAnswer(e);
                throw;
            }
            Take(frame);
        }
    }

    // An answer that is too long would be so again: its request is not to be sent on every new connection.
    private void RefuseAnswer(JuteFormatException reason)
    {
        Request? next;
        lock (_underWay)
        {
            _underWay.TryDequeue(out next);
        }
        if (next is not null)
        {
            next.Fail(new CoordinationException(ErrorCode.MarshallingError, next.Path, $"{next.Op} {next.Path}: the answer cannot be taken: {reason.Message}", reason));
            onEnded(next);
        }
    }

    private void Take(byte[] frame)
    {
        var reader = new JuteReader(frame);
        ReplyHeader header = ReplyHeader.Read(ref reader);
        if (header.Xid == -1)
        {
            onEvent(WatcherEvent.Read(ref reader), header.Zxid);
            return;
        }
        Volatile.Write(ref _answeredAt, time.GetTimestamp());
        if (header.Xid == Request.PingXid)
        {
            return;
        }
        Request request;
        lock (_underWay)
        {
            Queue<Request> queue = header.Xid == Request.AuthXid ? _auth : _underWay;
            if (!queue.TryPeek(out Request? next) || next.Xid != header.Xid)
            {
                throw new JuteFormatException($"the server answers request {header.Xid}, the next to be answered is {(next is null ? "none" : next.Xid)}");
            }
            request = queue.Dequeue();
        }
        proof.Saw(header.Zxid);
        // It has left the queue, so its end is told here whatever the answer holds.
        try
        {
            request.Answer((ErrorCode)header.Err, frame.AsMemory(frame.Length - reader.Remaining));
        }
        finally
        {
            onEnded(request);
        }
    }

    private async Task KeepAliveAsync(ChannelWriter<Request> queue, CancellationToken ct)
    {
        while (true)
        {
            (KeepAlive.Step step, TimeSpan wait) = KeepAlive.Next(
                time.GetElapsedTime(Volatile.Read(ref _sentAt)), time.GetElapsedTime(Volatile.Read(ref _answeredAt)), proof.Timeout);
            if (step == KeepAlive.Step.GiveUp)
            {
                throw new TimeoutException($"the server has not answered for two thirds of the session timeout of {proof.TimeoutMs} ms");
            }
            if (step == KeepAlive.Step.Ping)
            {
                queue.TryWrite(new Request<bool>(OpCode.Ping, "", RequestFrame.Make(OpCode.Ping), static (_, _) => true) { FixedXid = Request.PingXid });
            }
            await Task.Delay(wait, time, ct);
        }
    }
}
