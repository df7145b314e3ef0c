using System.Globalization;
using Skep.Raft.Consensus;

namespace Skep.Simulation;

/// <summary>A message as a line of a trace.</summary>
internal static class MessageText
{
    public static string Of(Message m)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"{m.From} -> {m.To} {m.Type} term {m.Term}");
        return head + m.Type switch
        {
            MessageType.PreVote or MessageType.Vote => $", log ends at {m.Index}/{m.LogTerm}{(m.Force ? ", at the leader's wish" : "")}",
            MessageType.PreVoteResponse or MessageType.VoteResponse => m.Reject ? ": no" : ": yes",
            MessageType.Append => $", after {m.Index}/{m.LogTerm}: {Entries(m)}commit {m.Commit}",
            MessageType.AppendResponse => m.Reject ? $": not {m.Index}, try {m.Hint}/{m.LogTerm}" : $": on disk up to {m.Index}",
            MessageType.Heartbeat => $", round {m.Round}, commit {m.Commit}",
            MessageType.HeartbeatResponse => $", round {m.Round}",
            MessageType.Snapshot => $", of {m.Snapshot!.Index}/{m.Snapshot.Term}",
            MessageType.TimeoutNow => $", at {m.Index}",
            MessageType.ReadIndexResponse => m.Reject ? ": no" : $": {m.Index}",
            _ => "",
        };
    }

    private static string Entries(Message m) => m.Entries.Count switch
    {
        0 => "",
        1 => $"{m.Entries[0].Index} {m.Entries[0].Type}, ",
        _ => $"{m.Entries[0].Index}-{m.Entries[^1].Index}, ",
    };
}
