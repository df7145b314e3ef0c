using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Replication;

/// <summary>Who is told what became of writes, in the order in which they were applied: each member hears of all, and acts on its own clients'.</summary>
internal interface IOutcomes
{
    /// <summary>A connection took a session up, or began it; null where there is none of that number and password.</summary>
    void Attached(long token, long sessionId, Session? session);

    /// <summary>A client's request was applied, or refused.</summary>
    void Answered(long sessionId, int epoch, long number, in Answer answer);

    /// <summary>A session is over, closed or expired, and its ephemerals with it: the changes are theirs.</summary>
    void Ended(long sessionId, IReadOnlyList<Change> changes);

    /// <summary>The tree changed; told before the answer to what changed it.</summary>
    void Changed(Change change);

    /// <summary>A write went beyond a quota, done or refused.</summary>
    void WentOver(in OverQuota over);
}

/// <summary>What a write answers with.</summary>
/// <param name="Op">The request's type: it decides what the answer looks like.</param>
/// <param name="Zxid">The write's own.</param>
/// <param name="Err">Why it was not done; Ok for a multi also where a part of it failed.</param>
/// <param name="Result">Of a single write.</param>
/// <param name="Parts">Of a multi.</param>
internal readonly record struct Answer(OpCode Op, long Zxid, ErrorCode Err, MultiResult Result, MultiResponse Parts)
{
    /// <summary>Writes what follows the header; nothing where the request failed.</summary>
    public void WriteBody(ref JuteWriter writer)
    {
        if (Err != ErrorCode.Ok)
        {
            return;
        }
        switch (Op)
        {
            case OpCode.Create:
                writer.WriteString(Result.Path);
                break;
            case OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                new Create2Response(Result.Path, Result.Stat).Write(ref writer);
                break;
            case OpCode.SetData or OpCode.SetAcl:
                Result.Stat.Write(ref writer);
                break;
            case OpCode.Multi:
                Parts.Write(ref writer);
                break;
            default:
                break;
        }
    }
}
