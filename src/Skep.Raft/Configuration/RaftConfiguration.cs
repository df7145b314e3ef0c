using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Skep.Raft;

/// <summary>
/// Who belongs to a group. While a change is under way (joint consensus) both sets of voters must agree and
/// <see cref="OutgoingVoters"/> is not empty.
/// </summary>
/// <param name="Voters">Members whose majority decides.</param>
/// <param name="OutgoingVoters">The voters before the change that is under way.</param>
/// <param name="Learners">Members that receive the log and do not vote.</param>
public sealed record RaftConfiguration(
    IReadOnlyList<RaftMember> Voters, IReadOnlyList<RaftMember> OutgoingVoters, IReadOnlyList<RaftMember> Learners)
{
    private const byte EncodingVersion = 1;

    /// <summary>A group of one.</summary>
    public static RaftConfiguration Single(RaftMember member) => new([member], [], []);

    /// <summary>Version byte, then for each of the three sets a count and per member id, address length and address (UTF-8); little endian.</summary>
    internal byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>();
        output.GetSpan(1)[0] = EncodingVersion;
        output.Advance(1);
        foreach (var members in (ReadOnlySpan<IReadOnlyList<RaftMember>>)[Voters, OutgoingVoters, Learners])
        {
            BinaryPrimitives.WriteUInt16LittleEndian(output.GetSpan(2), checked((ushort)members.Count));
            output.Advance(2);
            foreach (var member in members)
            {
                var address = Encoding.UTF8.GetBytes(member.Address);
                var span = output.GetSpan(10 + address.Length);
                BinaryPrimitives.WriteUInt64LittleEndian(span, member.Id);
                BinaryPrimitives.WriteUInt16LittleEndian(span[8..], checked((ushort)address.Length));
                address.CopyTo(span[10..]);
                output.Advance(10 + address.Length);
            }
        }

        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are no configuration.</exception>
    internal static RaftConfiguration Decode(ReadOnlySpan<byte> data)
    {
        try
        {
            if (data[0] != EncodingVersion)
            {
                throw new InvalidDataException($"a configuration of encoding {data[0]} was found, this build reads {EncodingVersion}");
            }

            data = data[1..];
            return new RaftConfiguration(DecodeMembers(ref data), DecodeMembers(ref data), DecodeMembers(ref data));
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new InvalidDataException("a configuration record ends too early", e);
        }
    }

    private static List<RaftMember> DecodeMembers(ref ReadOnlySpan<byte> data)
    {
        var members = new List<RaftMember>();
        var count = BinaryPrimitives.ReadUInt16LittleEndian(data);
        data = data[2..];
        for (var i = 0; i < count; i++)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(data[8..]);
            members.Add(new RaftMember(BinaryPrimitives.ReadUInt64LittleEndian(data), Encoding.UTF8.GetString(data.Slice(10, length))));
            data = data[(10 + length)..];
        }

        return members;
    }
}
