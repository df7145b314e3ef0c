namespace Skep.Coordination.Client;

/// <summary>How a client stands with its servers.</summary>
public enum ConnectionState
{
    /// <summary>No session yet.</summary>
    Connecting,

    /// <summary>Connected.</summary>
    Connected,

    /// <summary>Connected to a server without a majority: reads are answered, and may be old; writes are refused.</summary>
    ConnectedReadOnly,

    /// <summary>The connection is lost and sought again. The session may or may not live on: whoever holds something by it should pause.</summary>
    Suspended,

    /// <summary>The session is over, its ephemeral nodes and watches are gone. This client stays so; make another.</summary>
    Expired,

    /// <summary>Closed, or given up because a server refused an identity.</summary>
    Closed,
}
