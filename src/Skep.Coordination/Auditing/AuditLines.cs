using System.Globalization;
using System.Text;
using Skep.Coordination.Replication;
using Skep.Jute;

namespace Skep.Coordination.Auditing;

/// <summary>
/// What the audit log says of writes: <c>key=value</c> by tabs, with the keys, operations and order of ZooKeeper's (zookeeperAuditLogs).
/// Otherwise than there, nodes with a time to live count too, the entries of an ACL are parted by commas and show no passwords' digests,
/// and what would begin a line, a value or a name of its own is escaped.
/// </summary>
internal static class AuditLines
{
    private const string Success = "success", Failure = "failure", Unknown = "unknown";

    /// <summary>A server begins or ends to serve.</summary>
    public static string OfServer(string operation, string result) => $"user={Escaped(Environment.UserName)}\toperation={operation}\tresult={result}";

    /// <summary>An ephemeral goes with its session.</summary>
    public static string OfEphemeral(long sessionId, string path) =>
        $"session={Session(sessionId)}\tuser={Escaped(Environment.UserName)}\toperation=ephemeralZNodeDeletionOnSessionCloseOrExpire\tznode={Escaped(path)}\tresult={Success}";

    /// <summary>A client's write, done or refused: a line, or one for each part of a multi that was done.</summary>
    /// <param name="sessionId">The client's session.</param>
    /// <param name="identities">Who it has proved to be.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="op">What it asked for.</param>
    /// <param name="body">The request behind its header.</param>
    /// <param name="answer">What came of it; null where that cannot be told.</param>
    public static IEnumerable<string> OfRequest(
        long sessionId, IReadOnlyList<AclId> identities, string address, OpCode op, ReadOnlyMemory<byte> body, Answer? answer)
    {
        string who = $"session={Session(sessionId)}\tuser={string.Join(',', identities.Select(static i => EscapedName(UserOf(i))).Distinct())}\tip={Escaped(address)}";
        string result = answer is not { } known ? Unknown : known.Err == ErrorCode.Ok ? Success : Failure;
        if (op == OpCode.Multi)
        {
            bool isDone = answer is { Err: ErrorCode.Ok } all && !all.Parts.Results.Any(static r => r.Type == OpCode.Error);
            return isDone ? OfParts(who, body, answer!.Value) : [$"{who}\toperation=multiOperation\tresult={(answer is null ? Unknown : Failure)}"];
        }
        var reader = new JuteReader(body);
        return Of(who, op, Requests.ReadWrite(op, ref reader), result, answer?.Result.Path) is { } line ? [line] : [];
    }

    private static IEnumerable<string> OfParts(string who, ReadOnlyMemory<byte> body, Answer answer)
    {
        var reader = new JuteReader(body);
        return MultiRequest.Read(ref reader).Ops.Zip(answer.Parts.Results, (part, result) => Of(who, part.Type, part, Success, result.Path)).OfType<string>();
    }

    private static string? Of(string who, OpCode op, MultiOp request, string result, string? made)
    {
        (string operation, string more) = op switch
        {
            OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl => ("create", $"\tznode_type={ModeOf(op, request.Flags)}"),
            OpCode.Delete or OpCode.DeleteContainer => ("delete", ""),
            OpCode.SetData => ("setData", ""),
            OpCode.SetAcl => ("setAcl", $"\tacl={Escaped(Text(request.Acl))}"),
            _ => ("", ""),
        };
        // One that was made may have got a number behind its name.
        string path = result == Success && made is { Length: > 0 } ? made : request.Path;
        return operation.Length == 0 ? null : $"{who}\toperation={operation}\tznode={Escaped(path)}{more}\tresult={result}";
    }

    private static string ModeOf(OpCode op, int flags) => (op, flags) switch
    {
        (OpCode.CreateContainer, _) => "container",
        (OpCode.CreateTtl, 6) => "persistent_sequential_with_ttl",
        (OpCode.CreateTtl, _) => "persistent_with_ttl",
        (_, 0) => "persistent",
        (_, 1) => "ephemeral",
        (_, 2) => "persistent_sequential",
        (_, 3) => "ephemeral_sequential",
        (_, 4) => "container",
        _ => flags.ToString(CultureInfo.InvariantCulture),
    };

    private static string Text(IReadOnlyList<Acl> acl)
    {
        const string letters = "rwcda", shown = "cdrwa";
        return string.Join(',', Access.AccessRules.Redacted(acl).Select(a =>
            $"{a.Id.Scheme}:{a.Id.Name}:{string.Concat(shown.Where(l => (a.Perms & (1 << letters.IndexOf(l, StringComparison.Ordinal))) != 0))}"));
    }

    /// <summary>What people call an identity.</summary>
    public static string UserOf(AclId identity) => identity.Scheme == "digest" ? identity.Name.Split(':')[0] : identity.Name;

    private static string Session(long id) => $"0x{id:x}";

    // Names stand between commas.
    private static string EscapedName(string name) => Escaped(name).Replace(",", "\\u002c", StringComparison.Ordinal);

    private static string Escaped(string text)
    {
        if (!text.Any(static c => char.IsControl(c) || c == '\\'))
        {
            return text;
        }
        var escaped = new StringBuilder();
        foreach (char c in text)
        {
            _ = char.IsControl(c) || c == '\\' ? escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : escaped.Append(c);
        }
        return escaped.ToString();
    }
}
