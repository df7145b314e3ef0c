using System.Text;

namespace Skep.Raft.Transport;

/// <summary>
/// How a stream between members begins: what it carries, and where its opener is reached, so that a member that knows nobody
/// yet can answer.
/// </summary>
internal static class StreamKind
{
    public const byte Messages = 1;
    public const byte Snapshot = 2;

    public static byte[] Opening(byte kind, RaftMember self)
    {
        var address = Encoding.UTF8.GetBytes(self.Address);
        return [kind, checked((byte)address.Length), .. address];
    }

    /// <returns>null where the stream ends before it began.</returns>
    /// <exception cref="InvalidDataException">It begins with something else; nothing of it may be believed then.</exception>
    public static async ValueTask<(byte Kind, string Address)?> ReadOpeningAsync(Stream stream, CancellationToken ct)
    {
        var head = new byte[2];
        if (await stream.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, ct).ConfigureAwait(false) < 2)
        {
            return null;
        }

        if (head[0] is not (Messages or Snapshot))
        {
            throw new InvalidDataException($"a peer began a stream of kind {head[0]}; known are {Messages} and {Snapshot}");
        }

        var address = new byte[head[1]];
        await stream.ReadExactlyAsync(address, ct).ConfigureAwait(false);
        return address.AsSpan().ContainsAnyExceptInRange((byte)'!', (byte)'~')
            ? throw new InvalidDataException("a peer began a stream with an address that is none: expected host:port")
            : (head[0], Encoding.UTF8.GetString(address));
    }
}
