namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>A device's link.</summary>
/// <param name="Up">Whether frames can pass.</param>
/// <param name="SpeedMbps">Megabits a second; null where the device does not know.</param>
/// <param name="FullDuplex">Whether both sides may send at once.</param>
public readonly record struct DpdkLink(bool Up, long? SpeedMbps, bool FullDuplex);
