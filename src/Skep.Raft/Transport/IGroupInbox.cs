using Skep.Raft.Consensus;

namespace Skep.Raft.Transport;

/// <summary>Where a group takes what its peers send.</summary>
internal interface IGroupInbox
{
    /// <summary>
    /// Takes a message, or drops it when the group has as many as it can hold, or is closed: it is sent anew, and a stream serves
    /// other groups too, which must not wait for a slow one.
    /// </summary>
    bool TryReceive(Message message);

    /// <summary>Takes what a peer says beside the group's messages; on the thread that reads from it.</summary>
    void ReceiveAside(ulong from, ReadOnlyMemory<byte> bytes);

    /// <summary>Has the messages that were taken handled, on this thread unless another is at it.</summary>
    void Handle();

    /// <summary>Takes the bytes of a snapshot into a file that is whole and durable on return.</summary>
    /// <param name="snapshot">What it is of.</param>
    /// <param name="copy">Writes the bytes.</param>
    /// <returns>false when it is of no use here, or not now.</returns>
    Task<bool> ReceiveSnapshotAsync(SnapshotMeta snapshot, Func<Stream, Task> copy);
}
