namespace Skep.DataPlane.Ports;

/// <summary>Written by the port's worker, read by anyone.</summary>
public sealed class PortCounters
{
    /// <summary>Frames received.</summary>
    public long Received { get; internal set; }

    /// <summary>Frames sent.</summary>
    public long Sent { get; internal set; }

    /// <summary>Frames lost because they were longer than a buffer, or did not lie in one whole.</summary>
    public long TooLong { get; internal set; }

    /// <summary>Frames whose checksum the sender had left to the hardware, completed here.</summary>
    public long ChecksumsCompleted { get; internal set; }

    /// <summary>Frames that the sender had left to the hardware to cut, cut here; counts the large ones.</summary>
    public long Segmented { get; internal set; }

    /// <summary>Frames lost because the sender left work to the hardware that is not known here, or described it wrongly.</summary>
    public long OffloadRefused { get; internal set; }
}
