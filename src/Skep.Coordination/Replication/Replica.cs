using Skep.Coordination.Snapshots;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Replication;

/// <summary>
/// The tree of one member and how the group's commands change it. Pure: every member that applies the same commands has the same tree
/// and tells the same outcomes. One thread at a time.
/// </summary>
/// <param name="outcomes">Who is told of them.</param>
internal sealed class Replica(IOutcomes outcomes)
{
    /// <summary>The znodes and sessions.</summary>
    public ZnodeTree Tree { get; private set; } = ZnodeTree.New();

    public void Restore(Stream snapshot) => Tree = TreeSnapshot.Read(snapshot);

    /// <summary>Applies the writes of one command. What is no write that this build knows changes nothing, here as at every member.</summary>
    public void Apply(ReadOnlyMemory<byte> command)
    {
        if (Write.ReadHead(command.Span) is not long timeMs)
        {
            return;
        }
        Tree.EnforcesQuotas = Write.EnforcesQuotas(command.Span);
        ReadOnlyMemory<byte> rest = command[Write.HeadSizeBytes..];
        while (Write.TryTake(ref rest, out ReadOnlyMemory<byte> write))
        {
            try
            {
                var reader = new JuteReader(write);
                Apply((WriteKind)reader.ReadInt(), ref reader, timeMs);
            }
            catch (JuteFormatException)
            {
                // Its member has checked it, so another version wrote it.
            }
        }
    }

    private void Apply(WriteKind kind, ref JuteReader reader, long timeMs)
    {
        switch (kind)
        {
            case WriteKind.Open or WriteKind.Attach:
                Attach(kind, ref reader);
                break;
            case WriteKind.Request:
                ApplyRequest(ref reader, timeMs);
                break;
            case WriteKind.Expire:
                long sessionId = reader.ReadLong();
                int epoch = reader.ReadInt();
                // One that was taken up again meanwhile lives.
                if (Tree.Sessions.GetValueOrDefault(sessionId)?.Epoch == epoch)
                {
                    End(sessionId, Tree.LastZxid + 1);
                }
                break;
            case WriteKind.Own:
                var op = (OpCode)reader.ReadInt();
                // Earlier versions ask so for the end of containers too, without a look at whether they are over still.
                Do(Caller.Own, op, Requests.ReadWrite(op, ref reader), timeMs);
                break;
            case WriteKind.Passed:
                MultiOp passed = Requests.ReadWrite(OpCode.DeleteContainer, ref reader);
                if (Tree.HasPassed(passed.Path, timeMs))
                {
                    Do(Caller.Own, OpCode.DeleteContainer, passed, timeMs);
                }
                break;
            default:
                break;
        }
    }

    private void Attach(WriteKind kind, ref JuteReader reader)
    {
        long sessionId = reader.ReadLong();
        ReadOnlyMemory<byte> password = reader.ReadBuffer().GetValueOrDefault();
        var claim = new SessionClaim(reader.ReadLong(), reader.ReadInt(), reader.ReadRecords<AclId>(8));
        bool done = kind == WriteKind.Open
            ? Tree.OpenSession(sessionId, password.ToArray(), claim, Tree.LastZxid + 1)
            : Tree.AttachSession(sessionId, password.Span, claim);
        outcomes.Attached(claim.Token, sessionId, done ? Tree.Sessions[sessionId] : null);
    }

    private void ApplyRequest(ref JuteReader reader, long timeMs)
    {
        long sessionId = reader.ReadLong();
        int epoch = reader.ReadInt();
        long number = reader.ReadLong();
        // One that was sent again is there already, and one behind a lost one is sent again with it.
        if (!Tree.Sessions.TryGetValue(sessionId, out Session? session) || session.Epoch != epoch || session.LastRequest + 1 != number)
        {
            return;
        }
        session.LastRequest = number;
        var op = (OpCode)reader.ReadInt();
        var caller = new Caller(sessionId, session.Identities);
        Answer answer;
        switch (op)
        {
            case OpCode.Auth:
                AclId identity = AclId.Read(ref reader);
                if (!session.Identities.Contains(identity))
                {
                    session.Identities.Add(identity);
                }
                // No zxid: it comes before setWatches, which must find the one that the client saw on its last connection.
                answer = new Answer(op, 0, ErrorCode.Ok, default, default);
                break;
            case OpCode.CloseSession:
                long zxid = Tree.LastZxid + 1;
                outcomes.Answered(sessionId, epoch, number, new Answer(op, zxid, ErrorCode.Ok, default, default));
                End(sessionId, zxid);
                return;
            case OpCode.Multi:
                answer = DoAll(caller, MultiRequest.Read(ref reader), timeMs);
                break;
            default:
                answer = Do(caller, op, Requests.ReadWrite(op, ref reader), timeMs);
                break;
        }
        outcomes.Answered(sessionId, epoch, number, answer);
    }

    private Answer Do(Caller caller, OpCode op, MultiOp request, long timeMs)
    {
        long zxid = Tree.LastZxid + 1;
        MultiResult result = Tree.Apply(caller, request, zxid, timeMs);
        TellChanges();
        return new Answer(op, zxid, result.Err, result, default);
    }

    private Answer DoAll(Caller caller, MultiRequest request, long timeMs)
    {
        long zxid = Tree.LastZxid + 1;
        MultiResponse response = Tree.ApplyAll(caller, request.Ops, zxid, timeMs);
        TellChanges();
        return new Answer(OpCode.Multi, zxid, ErrorCode.Ok, default, response);
    }

    private void End(long sessionId, long zxid)
    {
        Tree.CloseSession(sessionId, zxid);
        TellChanges();
        outcomes.Ended(sessionId, Tree.Changes);
    }

    private void TellChanges()
    {
        foreach (Change change in Tree.Changes)
        {
            outcomes.Changed(change);
        }
        foreach (OverQuota over in Tree.OverQuotas)
        {
            outcomes.WentOver(over);
        }
    }
}
