namespace Skep.DataPlane.Devices;

/// <summary>A device that is not, or cannot be, bound as asked; the message says why and what to do.</summary>
public sealed class DeviceRefusedException(string message, Exception? inner = null) : Exception(message, inner);
