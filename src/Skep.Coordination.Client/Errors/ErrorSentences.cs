using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>What an error number means, for people.</summary>
internal static class ErrorSentences
{
    public static CoordinationException Exception(ErrorCode error, OpCode operation, string path) => error switch
    {
        ErrorCode.SessionExpired => new SessionExpiredException(),
        ErrorCode.ConnectionLoss => new ConnectionLossException(path, For(error, operation, path), null),
        _ => new CoordinationException(error, path, For(error, operation, path)),
    };

    public static string For(ErrorCode error, OpCode operation, string path)
    {
        string reason = error switch
        {
            ErrorCode.NoNode when operation is OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl => "the parent does not exist",
            ErrorCode.NoNode => "the node does not exist",
            ErrorCode.NodeExists => "the node exists already",
            ErrorCode.NotEmpty => "the node has children",
            ErrorCode.BadVersion => "the version given is not the node's",
            ErrorCode.NoAuth => "none of this session's identities has the permission",
            ErrorCode.NoChildrenForEphemerals => "the parent is ephemeral and can have no children",
            ErrorCode.InvalidAcl => "the ACL is empty or names an identity that cannot be",
            ErrorCode.AuthFailed => "the identity was refused",
            ErrorCode.BadArguments => "the server takes the path or another argument for malformed",
            ErrorCode.Unimplemented => "the server does not know this operation, or is not set up for it",
            ErrorCode.NotReadOnly => "the server has lost its majority and answers reads only",
            ErrorCode.SessionMoved => "the session has moved to another server",
            ErrorCode.QuotaExceeded => "the quota is used up",
            ErrorCode.ThrottledOp => "the server has too much to do",
            ErrorCode.NoWatcher => "nothing is watched there",
            ErrorCode.ConnectionLoss => "the connection was lost",
            _ => $"the server answers {error} ({(int)error})",
        };
        return path.Length == 0 ? $"{operation}: {reason}" : $"{operation} {path}: {reason}";
    }
}
