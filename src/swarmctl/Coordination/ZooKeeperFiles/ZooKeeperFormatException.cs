namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>Bytes that are no file of ZooKeeper's, or a damaged one.</summary>
/// <param name="offset">Where, in bytes of what is compressed if the file is.</param>
/// <param name="message">What was wrong there.</param>
internal sealed class ZooKeeperFormatException(long offset, string message) : Exception($"at offset {offset}: {message}")
{
    public long Offset => offset;
}
