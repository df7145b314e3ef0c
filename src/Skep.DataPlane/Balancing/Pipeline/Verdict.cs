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
}

/// <summary>What becomes of a packet, and where.</summary>
internal readonly record struct Verdict(VerdictKind Kind, byte Port)
{
    public static readonly Verdict Dropped = new(VerdictKind.Drop, 0);
    public static readonly Verdict ToKernel = new(VerdictKind.Kernel, 0);

    public static Verdict Send(int port) => new(VerdictKind.Send, (byte)port);
}
