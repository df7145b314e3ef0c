using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Skep.Store.Members;

/// <summary>
/// A manager's id in the Raft group. Its upper 48 bits follow from the node's id, so that a certificate says which members its
/// owner may speak for; the lower 16 differ from one membership of a node to the next, since a member that comes back without
/// its log is another member.
/// </summary>
public static class MemberIds
{
    private const ulong DrawnBits = 0xFFFF;

    /// <summary>The id of a node that founds a cluster.</summary>
    public static ulong OfFounder(string nodeId)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeId);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(nodeId), hash);
        return Math.Max(1, BinaryPrimitives.ReadUInt64BigEndian(hash));
    }

    /// <summary>The id of a node that joins; another each time, and never the founder's.</summary>
    public static ulong OfJoiner(string nodeId, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        ulong founder = OfFounder(nodeId);
        ulong joiner;
        do
        {
            joiner = (founder & ~DrawnBits) | (uint)random.Next(1, (int)DrawnBits + 1);
        }
        while (joiner == founder);
        return joiner;
    }

    /// <summary>Whether a member is this node.</summary>
    public static bool IsOf(ulong memberId, string nodeId) => ((memberId ^ OfFounder(nodeId)) & ~DrawnBits) == 0;
}
