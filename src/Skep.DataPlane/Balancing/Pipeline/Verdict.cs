namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>What becomes of a packet.</summary>
internal enum VerdictKind : byte
{
    /// <summary>Its buffer is given back.</summary>
    Drop,

    /// <summary>It is sent by <see cref="Verdict.Port"/>, its headers as they shall be.</summary>
    Send,

    /// <summary>It is none of ours: the kernel gets it as it came.</summary>
    Kernel,

    /// <summary>It is too long for <see cref="Verdict.Port"/>, and as it came: its sender is to be told.</summary>
    TooBig,

    /// <summary>Another worker knows its flow: <see cref="Verdict.Port"/> says which, and it gets the packet as it came.</summary>
    HandOver,
}

/// <summary>
/// What becomes of a packet, and where: one number, since two bytes written one by one and read together make the processor wait.
/// </summary>
internal readonly struct Verdict
{
    private const int PortBits = 8;
    private readonly uint _code;

    private Verdict(VerdictKind kind, int port) => _code = ((uint)kind << PortBits) | (byte)port;

    public static Verdict Dropped => new(VerdictKind.Drop, 0);

    public static Verdict ToKernel => new(VerdictKind.Kernel, 0);

    public VerdictKind Kind => (VerdictKind)(_code >> PortBits);

    /// <summary>The port to send by, or the peer to hand over to.</summary>
    public int Port => (byte)_code;

    public static Verdict Send(int port) => new(VerdictKind.Send, port);

    public static Verdict TooBig(int port) => new(VerdictKind.TooBig, port);

    public static Verdict HandOver(int peer) => new(VerdictKind.HandOver, peer);
}
