using System.Buffers;
using System.Buffers.Binary;
using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft.Transport;

/// <summary>
/// Messages as bytes: version, type, flags, ten numbers, the snapshot's description, the entries. Entries follow
/// each other, so each has type, term and payload only. Numbers are little endian.
/// </summary>
internal static class MessageCodec
{
    private const byte Version = 1;

    /// <summary>Begins what is no message of the group's consensus but of those who use the group.</summary>
    public const byte Aside = 0xA5;

    private const int HeadSizeBytes = 4 + (10 * 8) + 4;
    private const int EntryHeadSizeBytes = 1 + 8 + 4;

    [Flags]
    private enum Flags : byte
    {
        None = 0,
        Reject = 1,
        Force = 2,
        Snapshot = 4,
    }

    public static int SizeOf(Message m)
    {
        var size = HeadSizeBytes + (m.Snapshot is null ? 0 : 28 + m.Snapshot.Configuration.Encode().Length);
        for (var i = 0; i < m.Entries.Count; i++)
        {
            size += EntryHeadSizeBytes + m.Entries[i].Payload.Length;
        }

        return size;
    }

    public static void Write(IBufferWriter<byte> to, Message m)
    {
        var head = to.GetSpan(HeadSizeBytes);
        head[0] = Version;
        head[1] = (byte)m.Type;
        head[2] = (byte)((m.Reject ? Flags.Reject : 0) | (m.Force ? Flags.Force : 0) | (m.Snapshot is null ? 0 : Flags.Snapshot));
        head[3] = 0;
        var at = 4;
        foreach (var number in (ReadOnlySpan<ulong>)[m.From, m.To, m.Term, m.Index, m.LogTerm, m.Commit, m.Hint, m.Round, (ulong)m.SentMs, m.Context])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(head[at..], number);
            at += 8;
        }

        BinaryPrimitives.WriteInt32LittleEndian(head[at..], m.Entries.Count);
        to.Advance(HeadSizeBytes);
        if (m.Snapshot is { } snapshot)
        {
            Write(to, snapshot);
        }

        for (var i = 0; i < m.Entries.Count; i++)
        {
            var entry = m.Entries[i];
            var span = to.GetSpan(EntryHeadSizeBytes + entry.Payload.Length);
            span[0] = (byte)entry.Type;
            BinaryPrimitives.WriteUInt64LittleEndian(span[1..], entry.Term);
            BinaryPrimitives.WriteInt32LittleEndian(span[9..], entry.Payload.Length);
            entry.Payload.Span.CopyTo(span[EntryHeadSizeBytes..]);
            to.Advance(EntryHeadSizeBytes + entry.Payload.Length);
        }
    }

    /// <param name="group">The group the message is for, which its entries name.</param>
    /// <param name="bytes">What <see cref="Write(IBufferWriter{byte}, Message)"/> wrote. Entries go on lying in it.</param>
    /// <exception cref="InvalidDataException">It is no message of this version.</exception>
    public static Message Read(ulong group, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return Decode(group, bytes);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new InvalidDataException("a raft message ends too early", e);
        }
    }

    private static Message Decode(ulong group, ReadOnlyMemory<byte> bytes)
    {
        var head = bytes.Span;
        if (head[0] != Version || head[1] is < (byte)MessageType.PreVote or > (byte)MessageType.ReadIndexResponse || head[2] > 7)
        {
            throw new InvalidDataException($"a raft message of version {head[0]} and type {head[1]} came; this build reads version {Version}");
        }

        ulong Number(int i) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span[(4 + (8 * i))..]);
        var flags = (Flags)head[2];
        var count = BinaryPrimitives.ReadInt32LittleEndian(head[84..]);
        var rest = bytes[HeadSizeBytes..];
        var snapshot = (flags & Flags.Snapshot) != 0 ? ReadSnapshot(ref rest) : null;
        var index = Number(3);
        var entries = ReadEntries(group, index, count, ref rest);
        if (rest.Length > 0)
        {
            throw new InvalidDataException($"a raft message has {rest.Length} bytes behind its end");
        }

        return new Message
        {
            Type = (MessageType)head[1],
            From = Number(0),
            To = Number(1),
            Term = Number(2),
            Index = index,
            LogTerm = Number(4),
            Commit = Number(5),
            Hint = Number(6),
            Round = Number(7),
            SentMs = (long)Number(8),
            Context = Number(9),
            Reject = (flags & Flags.Reject) != 0,
            Force = (flags & Flags.Force) != 0,
            Snapshot = snapshot,
            Entries = entries,
        };
    }

    private static LogRecord[] ReadEntries(ulong group, ulong before, int count, ref ReadOnlyMemory<byte> rest)
    {
        // Checked before it is trusted with an array: each entry has a head at least.
        if (count < 0 || count > rest.Length / EntryHeadSizeBytes)
        {
            throw new InvalidDataException($"a raft message of {rest.Length} bytes claims {count} entries");
        }

        var entries = new LogRecord[count];
        for (var i = 0; i < count; i++)
        {
            var span = rest.Span;
            var type = (RecordType)span[0];
            var length = BinaryPrimitives.ReadInt32LittleEndian(span[9..]);
            entries[i] = new LogRecord(
                type, group, before + (ulong)i + 1, BinaryPrimitives.ReadUInt64LittleEndian(span[1..]), rest.Slice(EntryHeadSizeBytes, length));
            if (!entries[i].IsEntry || length > LogFormat.MaxPayloadSizeBytes)
            {
                throw new InvalidDataException($"a raft message has a record of type {(byte)type} and {length} bytes among its entries");
            }

            rest = rest[(EntryHeadSizeBytes + length)..];
        }

        return entries;
    }

    private static void Write(IBufferWriter<byte> to, SnapshotMeta snapshot)
    {
        var configuration = snapshot.Configuration.Encode();
        var span = to.GetSpan(28 + configuration.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(span, snapshot.Index);
        BinaryPrimitives.WriteUInt64LittleEndian(span[8..], snapshot.Term);
        BinaryPrimitives.WriteUInt64LittleEndian(span[16..], snapshot.ConfigurationIndex);
        BinaryPrimitives.WriteInt32LittleEndian(span[24..], configuration.Length);
        configuration.CopyTo(span[28..]);
        to.Advance(28 + configuration.Length);
    }

    private static SnapshotMeta ReadSnapshot(ref ReadOnlyMemory<byte> rest)
    {
        var span = rest.Span;
        var length = BinaryPrimitives.ReadInt32LittleEndian(span[24..]);
        var snapshot = new SnapshotMeta(
            BinaryPrimitives.ReadUInt64LittleEndian(span),
            BinaryPrimitives.ReadUInt64LittleEndian(span[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(span[16..]),
            RaftConfiguration.Decode(span.Slice(28, length)));
        rest = rest[(28 + length)..];
        return snapshot;
    }
}
