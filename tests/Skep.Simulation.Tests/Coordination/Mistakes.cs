using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Coordination.Sessions;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Simulation;

/// <summary>Puts mistakes around a member, which knows nothing of them.</summary>
internal static class Mistakes
{
    public static void Apply(Mistake mistake, Member member, ReadOnlyMemory<byte> command)
    {
        if (mistake is not (Mistake.DuplicatesDone or Mistake.ExpiryOfAnyEpoch or Mistake.AnotherPassed or Mistake.NothingPasses))
        {
            member.Apply(command);
            return;
        }
        foreach (ReadOnlyMemory<byte> single in Writes(command))
        {
            ReadOnlyMemory<byte> write = single;
            member.Look(view =>
            {
                write = Spoil(mistake, view.Tree, single);
                return 0;
            });
            member.Apply(write);
        }
    }

    /// <summary>A command with each write of a command.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Writes(ReadOnlyMemory<byte> command)
    {
        ReadOnlyMemory<byte> rest = command[Write.HeadSizeBytes..];
        for (ReadOnlyMemory<byte> before = rest; Write.TryTake(ref rest, out _); before = rest)
        {
            yield return (byte[])[.. command.Span[..Write.HeadSizeBytes], .. before.Span[..^rest.Length]];
        }
    }

    /// <summary>Lets a tree take the one write of a command as the mistake has it.</summary>
    public static ReadOnlyMemory<byte> Spoil(Mistake mistake, ZnodeTree tree, ReadOnlyMemory<byte> command)
    {
        var reader = new JuteReader(command[(Write.HeadSizeBytes + 4)..]);
        var kind = (WriteKind)reader.ReadInt();
        if (kind == WriteKind.Passed)
        {
            return mistake switch
            {
                Mistake.AnotherPassed => (byte[])[.. command.Span, .. Write.Own(OpCode.Delete, new VersionedPathRequest(PassingTruth.Containers + "n0", -1))],
                Mistake.NothingPasses => (byte[])[.. command.Span[..Write.HeadSizeBytes], 0, 0, 0, 4, 0, 0, 0, 0],
                _ => command,
            };
        }
        long sessionId = kind is WriteKind.Request or WriteKind.Expire ? reader.ReadLong() : 0;
        if (!tree.Sessions.TryGetValue(sessionId, out Session? session))
        {
            return command;
        }
        int epoch = reader.ReadInt();
        if (mistake == Mistake.ExpiryOfAnyEpoch && kind == WriteKind.Expire)
        {
            byte[] spoilt = command.ToArray();
            BinaryPrimitives.WriteInt32BigEndian(spoilt.AsSpan(Write.HeadSizeBytes + 16), session.Epoch);
            return spoilt;
        }
        if (mistake == Mistake.DuplicatesDone && kind == WriteKind.Request && epoch == session.Epoch && reader.ReadLong() is var number && number <= session.LastRequest)
        {
            session.LastRequest = number - 1;
        }
        return command;
    }

    /// <summary>Ticks; who comes to lead again has the deadlines that it left off with.</summary>
    public static void TickAndKeepDeadlines(Member member, Dictionary<long, (long DeadlineMs, int TimeoutMs)> kept)
    {
        Dictionary<long, (long DeadlineMs, int TimeoutMs)> deadlines = DeadlinesOf(ExpiryOf(member));
        bool led = SeenOf(member).Leads;
        if (led)
        {
            kept.Clear();
            foreach ((long id, (long, int) deadline) in deadlines)
            {
                kept[id] = deadline;
            }
        }
        member.Tick();
        if (!led && SeenOf(member).Leads)
        {
            foreach (long id in deadlines.Keys.Where(kept.ContainsKey).ToArray())
            {
                deadlines[id] = kept[id];
            }
        }
    }

    public static void TickAndTellNothing(Member member, Standing standing)
    {
        if (!standing.Leads)
        {
            HeardOf(member).Clear();
        }
        member.Tick();
    }

    public static void Restore(Member member, Stream snapshot) => ReplicaOf(member).Restore(snapshot);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_expiry")]
    private static extern ref readonly SessionExpiry ExpiryOf(Member member);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_deadlines")]
    private static extern ref readonly Dictionary<long, (long DeadlineMs, int TimeoutMs)> DeadlinesOf(SessionExpiry expiry);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_seen")]
    private static extern ref Standing SeenOf(Member member);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_heard")]
    private static extern ref readonly HashSet<long> HeardOf(Member member);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_replica")]
    private static extern ref readonly Replica ReplicaOf(Member member);
}
