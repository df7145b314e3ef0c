using System.Buffers;
using System.Buffers.Binary;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Replication;

/// <summary>What a member asks the group to do. The numbers are on disk and on the wire between members: they never change.</summary>
internal enum WriteKind
{
    /// <summary>Begin a session.</summary>
    Open = 1,

    /// <summary>Let a new connection take a session up.</summary>
    Attach = 2,

    /// <summary>A client's request.</summary>
    Request = 3,

    /// <summary>End a session whose client has been silent for too long.</summary>
    Expire = 4,

    /// <summary>A request of the service itself.</summary>
    Own = 5,

    /// <summary>Remove a container or a node whose time to live is over, where that is so still.</summary>
    Passed = 6,
}

/// <summary>
/// Writes as bytes: each with its length before it, so that those of many members are put behind one another as they are. A command of
/// the group is a head and such writes.
/// </summary>
internal static class Write
{
    private const byte Version = 1;

    // The same, and hard quotas refuse: a number of its own, so that what was applied without stays so when it is applied again.
    private const byte EnforcingVersion = 2;

    /// <summary>Bytes before the first write of a command: the format's number, and the leader's time.</summary>
    public const int HeadSizeBytes = 1 + 8;

    public static void WriteHead(Span<byte> head, long timeMs, bool enforcesQuotas = false)
    {
        head[0] = enforcesQuotas ? EnforcingVersion : Version;
        BinaryPrimitives.WriteInt64BigEndian(head[1..], timeMs);
    }

    /// <summary>The time of a command; null where it is of a format that this build does not read.</summary>
    public static long? ReadHead(ReadOnlySpan<byte> command) =>
        command.Length >= HeadSizeBytes && command[0] is (Version or EnforcingVersion) ? BinaryPrimitives.ReadInt64BigEndian(command[1..]) : null;

    /// <summary>Whether hard quotas refuse writes of a command whose head was read.</summary>
    public static bool EnforcesQuotas(ReadOnlySpan<byte> command) => command[0] == EnforcingVersion;

    public static byte[] Open(long sessionId, ReadOnlyMemory<byte> password, SessionClaim claim) => Make(WriteKind.Open, sessionId, password, claim);

    public static byte[] Attach(long sessionId, ReadOnlyMemory<byte> password, SessionClaim claim) => Make(WriteKind.Attach, sessionId, password, claim);

    private const int RequestHeadBytes = 4 + 4 + 8 + 4 + 8 + 4;

    /// <summary>The body of a client's request, as <see cref="Request"/> was given it.</summary>
    public static ReadOnlyMemory<byte> BodyOf(byte[] request) => request.AsMemory(RequestHeadBytes);

    /// <param name="sessionId">Whose it is.</param>
    /// <param name="epoch">The session's, when the client asked.</param>
    /// <param name="number">Its place among the requests of that epoch, from 1.</param>
    /// <param name="op">What it asks for.</param>
    /// <param name="body">The request behind its header.</param>
    public static byte[] Request(long sessionId, int epoch, long number, OpCode op, ReadOnlySpan<byte> body)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(RequestHeadBytes + body.Length);
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - 4);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), (int)WriteKind.Request);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), sessionId);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), epoch);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(20), number);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(28), (int)op);
        body.CopyTo(bytes.AsSpan(RequestHeadBytes));
        return bytes;
    }

    public static byte[] Expire(long sessionId, int epoch) => JuteFrame.Make(output =>
    {
        var writer = new JuteWriter(output);
        writer.WriteInt((int)WriteKind.Expire);
        writer.WriteLong(sessionId);
        writer.WriteInt(epoch);
    });

    public static byte[] Own<T>(OpCode op, T body) where T : IJuteRecord<T> => JuteFrame.Make(output =>
    {
        var writer = new JuteWriter(output);
        writer.WriteInt((int)WriteKind.Own);
        writer.WriteInt((int)op);
        body.Write(ref writer);
    });

    public static byte[] Passed(string path) => JuteFrame.Make(output =>
    {
        var writer = new JuteWriter(output);
        writer.WriteInt((int)WriteKind.Passed);
        new PathRequest(path).Write(ref writer);
    });

    /// <summary>Cuts the next write off.</summary>
    /// <returns>False at the end, and where what follows is no whole write.</returns>
    public static bool TryTake(ref ReadOnlyMemory<byte> rest, out ReadOnlyMemory<byte> write)
    {
        write = default;
        if (rest.Length < 4)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadInt32BigEndian(rest.Span);
        if (length < 0 || length > rest.Length - 4)
        {
            return false;
        }
        write = rest.Slice(4, length);
        rest = rest[(4 + length)..];
        return true;
    }

    private static byte[] Make(WriteKind kind, long sessionId, ReadOnlyMemory<byte> password, SessionClaim claim) => JuteFrame.Make(output =>
    {
        var writer = new JuteWriter(output);
        writer.WriteInt((int)kind);
        writer.WriteLong(sessionId);
        writer.WriteBuffer(password);
        writer.WriteLong(claim.Token);
        writer.WriteInt(claim.TimeoutMs);
        writer.WriteRecords(claim.Identities);
    });
}
