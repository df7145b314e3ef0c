namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>What a device counts, over all its queues.</summary>
/// <param name="Received">Frames handed to ports.</param>
/// <param name="Sent">Frames sent.</param>
/// <param name="ReceivedBytes">Their bytes, as the device counts them.</param>
/// <param name="SentBytes">Their bytes.</param>
/// <param name="Missed">Frames lost because the queues were full: ports were not looked at often enough.</param>
/// <param name="ReceiveErrors">Frames that came broken.</param>
/// <param name="SendErrors">Frames that could not be sent.</param>
/// <param name="NoBuffers">How often a frame could not be received because the pool was empty.</param>
public readonly record struct DpdkStatistics(long Received, long Sent, long ReceivedBytes, long SentBytes, long Missed, long ReceiveErrors, long SendErrors, long NoBuffers);
