using System.Buffers.Binary;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Ports.AfPacket;

/// <summary>Cuts a frame that its sender left to the hardware to cut (TCP and UDP segmentation offload), one piece at a time.</summary>
internal struct LargeFrame
{
    private PacketHeaders _headers;
    private int _segmentBytes;
    private int _next;
    private ushort _count;

    /// <summary>Whether there are pieces to come.</summary>
    public readonly bool IsOpen => _segmentBytes > 0;

    /// <summary>Begins with a frame.</summary>
    /// <returns>False where the frame is not what the header says.</returns>
    public bool TryBegin(ReadOnlySpan<byte> frame, in OffloadHeader offload, int bufferBytes)
    {
        this = default;
        if (PacketParser.Parse(frame, out _headers) != PacketFault.None || _headers.Fragment != FragmentKind.Whole || offload.SegmentBytes == 0)
        {
            return false;
        }
        bool matches = (offload.Kind & ~OffloadHeader.KindEcn) switch
        {
            OffloadHeader.KindTcpV4 => _headers.Network == NetworkKind.IPv4 && _headers.Protocol == IpProtocol.Tcp,
            OffloadHeader.KindTcpV6 => _headers.Network == NetworkKind.IPv6 && _headers.Protocol == IpProtocol.Tcp,
            OffloadHeader.KindUdp => _headers.Protocol == IpProtocol.Udp,
            _ => false,
        };
        if (!matches || _headers.PayloadOffset >= _headers.End || _headers.PayloadOffset + offload.SegmentBytes > bufferBytes)
        {
            return false;
        }
        _segmentBytes = offload.SegmentBytes;
        _next = _headers.PayloadOffset;
        return true;
    }

    /// <summary>Makes the next piece.</summary>
    /// <param name="frame">The frame that was begun with.</param>
    /// <param name="pool">Where the piece gets its buffer.</param>
    /// <param name="packet">The piece, its checksums complete.</param>
    /// <returns>False where the pool has no buffer left: the piece waits.</returns>
    public bool TryNext(ReadOnlySpan<byte> frame, PacketPool pool, out Packet packet)
    {
        int header = _headers.PayloadOffset;
        int payload = Math.Min(_segmentBytes, _headers.End - _next);
        if (!pool.TryRent(header + payload, out packet))
        {
            return false;
        }
        Span<byte> piece = packet.Bytes;
        frame[..header].CopyTo(piece);
        frame.Slice(_next, payload).CopyTo(piece[header..]);
        bool last = _next + payload == _headers.End;
        SetNetwork(piece);
        SetTransport(piece, last);
        _next += payload;
        _count++;
        if (last)
        {
            _segmentBytes = 0;
        }
        return true;
    }

    private readonly void SetNetwork(Span<byte> piece)
    {
        Span<byte> ip = piece[_headers.NetworkOffset..];
        if (_headers.Network == NetworkKind.IPv6)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ip.Length - IpParser.V6Bytes));
            return;
        }
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(ip[4..]) + _count));
        ip[10] = ip[11] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum.Of(ip[..(_headers.TransportOffset - _headers.NetworkOffset)]));
    }

    private readonly void SetTransport(Span<byte> piece, bool last)
    {
        Span<byte> transport = piece[_headers.TransportOffset..];
        int at;
        if (_headers.Protocol == IpProtocol.Tcp)
        {
            at = 16;
            uint sequence = BinaryPrimitives.ReadUInt32BigEndian(transport[4..]) + (uint)(_next - _headers.PayloadOffset);
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], sequence);
            // The end of the data and of the connection belong to the last piece, a window made smaller to the first (RFC 3168).
            TcpFlags clear = (last ? TcpFlags.None : TcpFlags.Fin | TcpFlags.Psh) | (_count == 0 ? TcpFlags.None : TcpFlags.Cwr);
            transport[13] &= (byte)~clear;
        }
        else
        {
            at = 6;
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length);
        }
        transport[at] = transport[at + 1] = 0;
        ulong pseudo = Checksum.PseudoHeader(_headers.Source, _headers.Destination, _headers.Protocol, transport.Length);
        ushort checksum = Checksum.Finish(Checksum.Add(pseudo, transport));
        BinaryPrimitives.WriteUInt16BigEndian(transport[at..], checksum == 0 && at == 6 ? (ushort)0xFFFF : checksum);
    }
}
