using System.Buffers;
using CsCheck;
using Skep.Raft.Consensus;
using Skep.Raft.Log;
using Skep.Raft.Transport;

namespace Skep.Raft.Tests.Transport;

public sealed class MessageCodecTests
{
    private const ulong Group = 3;

    private static readonly Gen<RaftConfiguration> Configurations = Gen.Select(Members(), Members(), Members(), static (a, b, c) => new RaftConfiguration(a, b, c));

    private static readonly Gen<Message> Messages =
        from type in Gen.Byte[(byte)MessageType.PreVote, (byte)MessageType.ReadIndexResponse]
        from numbers in Gen.ULong.Array[8]
        from flags in Gen.Bool.Array[3]
        from index in Gen.ULong[0, 1UL << 40]
        from configuration in Configurations
        from payloads in Gen.Byte.Array[0, 40].Array[0, 6]
        select new Message
        {
            Type = (MessageType)type,
            From = numbers[0],
            To = numbers[1],
            Term = numbers[2],
            Index = index,
            LogTerm = numbers[3],
            Commit = numbers[4],
            Hint = numbers[5],
            Round = numbers[6],
            SentMs = (long)numbers[7],
            Context = numbers[0] ^ numbers[7],
            Reject = flags[0],
            Force = flags[1],
            Snapshot = flags[2] ? new SnapshotMeta(numbers[3], numbers[4], numbers[5], configuration) : null,
            Entries = [.. payloads.Select((p, i) => LogRecord.Command(Group, index + (ulong)i + 1, numbers[2], p))],
        };

    [Fact]
    public void Every_message_comes_back_as_it_was() => Messages.Sample(static m =>
    {
        var read = MessageCodec.Read(Group, Encode(m));
        Assert.Equal(Text(m), Text(read));
    });

    [Fact]
    public void The_size_is_known_before_it_is_written() => Messages.Sample(static m => Assert.Equal(Encode(m).Length, MessageCodec.SizeOf(m)));

    [Fact]
    public void What_is_cut_or_changed_is_refused_or_is_another_message() => Gen.Select(Messages, Gen.Int[0, 10_000], Gen.Byte, Gen.Bool).Sample(static (m, at, with, cut) =>
    {
        var bytes = Encode(m);
        at %= bytes.Length;
        byte[] spoiled = cut ? bytes[..at] : [.. bytes[..at], with, .. bytes[(at + 1)..]];
        try
        {
            MessageCodec.Read(Group, spoiled);
            Assert.False(cut, $"{at} of {bytes.Length} bytes were taken for a message");
        }
        catch (InvalidDataException)
        {
            // Refused, in the one way it may be.
        }
    });

    private static Gen<RaftMember[]> Members() => Gen.Select(Gen.ULong, Gen.String[Gen.Char.AlphaNumeric, 0, 12], static (id, address) => new RaftMember(id, address)).Array[0, 4];

    private static byte[] Encode(Message m)
    {
        var output = new ArrayBufferWriter<byte>();
        MessageCodec.Write(output, m);
        return output.WrittenSpan.ToArray();
    }

    private static string Text(Message m) =>
        $"{m with { Entries = [], Snapshot = null }} {Convert.ToHexString(m.Snapshot?.Configuration.Encode() ?? [])} {m.Snapshot?.Index} {m.Snapshot?.Term} {m.Snapshot?.ConfigurationIndex} "
        + string.Join(' ', m.Entries.Select(static e => $"{e.Type}{e.Group}.{e.Index}.{e.Term}:{Convert.ToHexString(e.Payload.Span)}"));
}
