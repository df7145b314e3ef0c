namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>Frames that the kernel could not hand over or take, since the port was opened (struct xdp_statistics).</summary>
/// <param name="Received">Received frames that were longer than a buffer, or found none free.</param>
/// <param name="RingFull">Received frames lost because the worker did not take those before.</param>
/// <param name="NoBuffer">How often no buffer was waiting for a frame.</param>
/// <param name="Refused">Descriptors that the kernel refused, in either direction; always 0, or something is wrong here.</param>
public readonly record struct XdpLosses(long Received, long RingFull, long NoBuffer, long Refused)
{
    /// <summary>Received frames lost, for either reason.</summary>
    public long Missed => Received + RingFull;
}
