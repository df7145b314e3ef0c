using Skep.Jute;

namespace Skep.Coordination.Tree;

/// <summary>A client's session: replicated, so that it outlives the member it is connected to. When it ends is decided outside.</summary>
internal sealed class Session(byte[] password)
{
    public byte[] Password { get; } = password;

    /// <summary>So long the client may be silent, in ms.</summary>
    public int TimeoutMs { get; set; }

    /// <summary>Names the connection that the session was last taken up by, so that taking it up again by the same one changes nothing.</summary>
    public long Token { get; set; }

    /// <summary>How often a connection took the session up: requests of an earlier one count no more.</summary>
    public int Epoch { get; set; }

    /// <summary>The number of the last request applied in this epoch: one that comes twice is applied once.</summary>
    public long LastRequest { get; set; }

    /// <summary>Who the client has proved to be in this epoch, its address among them.</summary>
    public List<AclId> Identities { get; } = [];

    /// <summary>Numbers of the nodes that go when the session does.</summary>
    public HashSet<int> Ephemerals { get; } = [];
}
