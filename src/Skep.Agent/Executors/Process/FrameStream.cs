using System.Buffers.Binary;
using System.Net.Sockets;
using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>A frame as received.</summary>
internal readonly record struct Frame(FrameKind Kind, uint RequestId, ReadOnlyMemory<byte> Payload);

/// <summary>Frames over a socket. One reader at a time; writers take turns.</summary>
internal sealed class FrameStream(Socket socket) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private byte[] _buffer = new byte[16 * 1024];
    private int _at;
    private int _length;

    /// <summary>Greets, and takes the supervisor's welcome.</summary>
    /// <param name="watch">Whether to be told of every change of every task.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="SupervisorUnavailableException">It speaks another version.</exception>
    public async Task<Welcome> GreetAsync(bool watch, CancellationToken ct)
    {
        await WriteAsync(FrameKind.Hello, 0, w =>
        {
            w.U32(Wire.Magic);
            w.U16(Wire.Version);
            w.Flag(watch);
        }, ct);
        var frame = await ReadAsync(ct) ?? throw new SupervisorGoneException();
        if (frame.Kind != FrameKind.Welcome)
        {
            throw new WireException($"expected a welcome, got {frame.Kind}");
        }
        var welcome = Read(frame);
        return welcome.Version == Wire.Version
            ? welcome
            : throw new SupervisorUnavailableException(
                $"the supervisor that runs (pid {welcome.Pid}) speaks version {welcome.Version}, this node version {Wire.Version}: "
                + "it leaves when its last task has ended; drain the node, then start it again");

        static Welcome Read(Frame frame)
        {
            var r = new WireReader(frame.Payload.Span);
            return Welcome.Read(ref r);
        }
    }

    public async Task WriteAsync(FrameKind kind, uint requestId, Action<WireWriter> payload, CancellationToken ct)
    {
        var writer = new WireWriter();
        var start = writer.BeginFrame(kind, requestId);
        payload(writer);
        writer.EndFrame(start);
        if (writer.Length - Wire.LengthBytes > Wire.MaxFrameBytes)
        {
            throw new SupervisorException(
                ReplyCode.BadRequest, $"the task is too big to hand to the supervisor: {writer.Length} bytes of at most {Wire.MaxFrameBytes}");
        }
        var bytes = writer.ToArray();
        await _turn.WaitAsync(ct);
        try
        {
            // Half a frame would spoil the stream for all: once begun it is sent whole.
            for (var sent = 0; sent < bytes.Length;)
            {
                sent += await socket.SendAsync(bytes.AsMemory(sent), SocketFlags.None, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new SupervisorGoneException();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The next frame, whose payload lives until the next call; null at the end.</summary>
    public async Task<Frame?> ReadAsync(CancellationToken ct)
    {
        while (true)
        {
            if (_length - _at >= Wire.LengthBytes)
            {
                var length = BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(_at));
                if (length is < Wire.HeadBytes or > Wire.MaxFrameBytes)
                {
                    throw new WireException($"a frame of {length} bytes");
                }
                if (_length - _at >= Wire.LengthBytes + length)
                {
                    var body = _buffer.AsMemory(_at + Wire.LengthBytes, (int)length);
                    _at += Wire.LengthBytes + (int)length;
                    return new Frame(
                        (FrameKind)body.Span[0], BinaryPrimitives.ReadUInt32LittleEndian(body.Span[1..]), body[Wire.HeadBytes..]);
                }
                MakeRoom(Wire.LengthBytes + (int)length);
            }
            else
            {
                MakeRoom(Wire.LengthBytes);
            }
            int count;
            try
            {
                count = await socket.ReceiveAsync(_buffer.AsMemory(_length), SocketFlags.None, ct);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return null;
            }
            if (count == 0)
            {
                return null;
            }
            _length += count;
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        _turn.Dispose();
    }

    private void MakeRoom(int frameBytes)
    {
        if (_at > 0)
        {
            _buffer.AsSpan(_at, _length - _at).CopyTo(_buffer);
            _length -= _at;
            _at = 0;
        }
        if (_buffer.Length < frameBytes || _length == _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(frameBytes, _buffer.Length * 2));
        }
    }
}
