using System.Globalization;
using System.Text;
using Grpc.Core;
using Skep.Store;

namespace Skep.Manager.Control;

/// <summary>Makes the errors that clients see; words and codes are SwarmKit's wherever it has some.</summary>
internal static class Refusal
{
    /// <summary>SwarmKit's words for a request that lacks what it is about.</summary>
    public const string InvalidArgumentWords = "invalid argument";

    /// <summary>The request as such is wrong.</summary>
    public static RpcException Invalid(string words) => new(new Status(StatusCode.InvalidArgument, words));

    /// <summary>The request does not say what it is about.</summary>
    public static RpcException Invalid() => Invalid(InvalidArgumentWords);

    /// <summary>There is no such object.</summary>
    public static RpcException NotFound(string words) => new(new Status(StatusCode.NotFound, words));

    /// <summary>Not in the state the cluster is in.</summary>
    public static RpcException Precondition(string words) => new(new Status(StatusCode.FailedPrecondition, words));

    /// <summary>This cluster has no such thing.</summary>
    public static RpcException Unimplemented(string words) => new(new Status(StatusCode.Unimplemented, words));

    /// <summary>There is one already.</summary>
    public static RpcException Exists(string words) => new(new Status(StatusCode.AlreadyExists, words));

    /// <summary>Nobody may do this.</summary>
    public static RpcException Denied(string words) => new(new Status(StatusCode.PermissionDenied, words));

    /// <summary>What the store refused, as SwarmKit's control API shows it: a stale version has no code of its own there.</summary>
    public static RpcException From(StoreException e) => new(new Status(
        e.Kind switch
        {
            StoreErrorKind.NotFound => StatusCode.NotFound,
            StoreErrorKind.AlreadyExists or StoreErrorKind.NameConflict => StatusCode.AlreadyExists,
            StoreErrorKind.OutOfSequence => StatusCode.Unknown,
            StoreErrorKind.TooLarge or StoreErrorKind.Full => StatusCode.ResourceExhausted,
            StoreErrorKind.Stopped or StoreErrorKind.NotLeader or StoreErrorKind.OutcomeUnknown => StatusCode.Unavailable,
            _ => StatusCode.Internal,
        },
        e.Message));

    /// <summary>A value in double quotes, with what cannot be seen in it escaped.</summary>
    public static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        foreach (char c in value)
        {
            text.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when char.IsControl(c) => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => c,
            });
        }
        return text.Append('"').ToString();
    }
}
