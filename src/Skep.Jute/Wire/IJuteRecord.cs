namespace Skep.Jute;

/// <summary>A record of ZooKeeper's wire protocol: its fields one after the other, in the order of zookeeper.jute, big-endian.</summary>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface IJuteRecord<TSelf> where TSelf : IJuteRecord<TSelf>
{
    /// <summary>Reads one record. Buffers in it are slices of the reader's memory, not copies.</summary>
    /// <exception cref="JuteFormatException">The bytes are no such record.</exception>
    static abstract TSelf Read(ref JuteReader reader);

    /// <summary>Writes the record.</summary>
    void Write(ref JuteWriter writer);
}
