using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Skep.Coordination.Watches;
using Skep.Jute;

namespace Skep.Coordination.Tests.Differential;

/// <summary>One session over a bare socket: one request at a time, events kept.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly TcpClient _socket = new();
    private readonly NetworkStream _stream;
    private int _xid;

    public RawClient(int port)
    {
        _socket.Connect("127.0.0.1", port);
        _socket.NoDelay = true;
        _stream = _socket.GetStream();
        _stream.ReadTimeout = 30_000;
        _stream.Write(JuteFrame.Make(o => JuteFrame.Put(o, new ConnectRequest(0, 0, 40_000, 0, new byte[16], false))));
        var reader = new JuteReader(Frame());
        SessionId = ConnectResponse.Read(ref reader).SessionId;
    }

    public long SessionId { get; }

    public List<WatchEvent> Events { get; } = [];

    public (ReplyHeader Header, ReadOnlyMemory<byte> Body) Call<T>(OpCode op, T request, int? xid = null) where T : IJuteRecord<T>
    {
        int own = xid ?? ++_xid;
        Send(o => { JuteFrame.Put(o, new RequestHeader(own, (int)op)); JuteFrame.Put(o, request); });
        while (true)
        {
            byte[] frame = Frame();
            var reader = new JuteReader(frame);
            var header = ReplyHeader.Read(ref reader);
            if (header.Xid == -1)
            {
                var e = WatcherEvent.Read(ref reader);
                Events.Add(new WatchEvent(SessionId, e.Type, e.Path));
                continue;
            }
            Assert.Equal(own, header.Xid);
            return (header, frame.AsMemory(frame.Length - reader.Remaining));
        }
    }

    /// <summary>Ends the session; the answer's zxid is that of its end.</summary>
    public long Close()
    {
        Send(o => JuteFrame.Put(o, new RequestHeader(++_xid, (int)OpCode.CloseSession)));
        while (true)
        {
            var reader = new JuteReader(Frame());
            var header = ReplyHeader.Read(ref reader);
            // Events of its own ephemerals' end may come first.
            if (header.Xid == _xid)
            {
                return header.Zxid;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Send(Action<IBufferWriter<byte>> write) => _stream.Write(JuteFrame.Make(write));

    private byte[] Frame()
    {
        byte[] length = new byte[4];
        _stream.ReadExactly(length);
        byte[] frame = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
        _stream.ReadExactly(frame);
        return frame;
    }
}
