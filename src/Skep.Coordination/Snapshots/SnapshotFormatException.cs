namespace Skep.Coordination.Snapshots;

/// <summary>Bytes that are no whole snapshot of a tree.</summary>
internal sealed class SnapshotFormatException(string message, Exception? inner = null) : Exception(message, inner);
