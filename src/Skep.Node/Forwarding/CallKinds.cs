namespace Skep.Node.Forwarding;

/// <summary>Who may answer a call.</summary>
internal enum CallKind
{
    /// <summary>The manager that is called, leader or not.</summary>
    Here,

    /// <summary>The leader, once it is sure that it still leads; without a leader any manager, with a warning.</summary>
    Read,

    /// <summary>The leader.</summary>
    Leader,
}

/// <summary>Which call is of which kind.</summary>
internal static class CallKinds
{
    private const string Swarmkit = "/docker.swarmkit.v1.";

    // These follow the store of the manager that is asked, or speak of that manager alone.
    private static readonly string[] Here = [Swarmkit + "Watch/", Swarmkit + "Health/", Swarmkit + "CA/", Swarmkit + "Raft/", "/skep.v1.Unlocking/"];
    private static readonly string[] Reads = [Swarmkit + "Control/Get", Swarmkit + "Control/List", "/skep.v1.Why/", "/skep.v1.Managers/Status"];

    /// <summary>Of a method, <c>/package.Service/Method</c>.</summary>
    public static CallKind Of(string method) =>
        Here.Any(h => method.StartsWith(h, StringComparison.Ordinal)) ? CallKind.Here
        : Reads.Any(r => method.StartsWith(r, StringComparison.Ordinal)) ? CallKind.Read
        : CallKind.Leader;

    /// <summary>Whether the caller sends one message and then listens, so that its request can be sent again to another leader.</summary>
    public static bool SendsOneMessage(string method) => method != Swarmkit + "LogBroker/PublishLogs";
}
