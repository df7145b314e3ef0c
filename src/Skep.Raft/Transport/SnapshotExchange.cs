using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Skep.Raft.Consensus;

namespace Skep.Raft.Transport;

/// <summary>
/// A snapshot's way to another member: its message as a frame, its bytes in chunks with a length before each and a zero
/// behind the last, and one byte back once it is on the other's disk. TCP's window is the back-pressure.
/// </summary>
internal sealed class SnapshotExchange(RaftMember self, Func<RaftMember, CancellationToken, Task<Stream>> dial, TimeProvider time, ILogger logger)
{
    private const int ChunkSizeBytes = 256 * 1024;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const byte Arrived = 1;
    private const byte NotWanted = 2;

    public async Task<bool> SendAsync(RaftMember to, ulong group, Message message, Stream file, CancellationToken ct)
    {
        var index = message.Snapshot!.Index;
        try
        {
            var stream = await dial(to, ct).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                await WriteAsync(stream, group, message, file, ct).ConfigureAwait(false);
                var answer = new byte[1];
                await Deadline.KeepAsync(t => stream.ReadExactlyAsync(answer, t), Patience, time, ct).ConfigureAwait(false);
                if (answer[0] == Arrived)
                {
                    TransportMessages.SnapshotSent(logger, index, group, to.Id);
                }

                return answer[0] == Arrived;
            }
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            TransportMessages.SnapshotNotSent(logger, index, group, to.Id, e.Message);
            return false;
        }
    }

    /// <exception cref="InvalidDataException">What comes is no snapshot, or of another than the peer.</exception>
    public async Task ReceiveAsync(Stream stream, ulong from, Func<ulong, IGroupInbox?> groups, CancellationToken ct)
    {
        var head = new byte[Frames.HeadSizeBytes];
        if (await Frames.ReadAsync(stream, head, ct).ConfigureAwait(false) is not var (group, payload))
        {
            return;
        }

        var message = MessageCodec.Read(group, payload);
        RaftTransport.CheckSender(message, from);
        if (message is not { Type: MessageType.Snapshot, Snapshot: { } snapshot })
        {
            throw new InvalidDataException($"a stream for a snapshot began with a message of type {message.Type}");
        }

        var arrived = groups(group) is { } inbox
            && await inbox.ReceiveSnapshotAsync(snapshot, file => CopyAsync(stream, file, ct)).ConfigureAwait(false)
            && inbox.TryReceive(message);
        if (arrived)
        {
            groups(group)?.Handle();
        }

        await stream.WriteAsync(new[] { arrived ? Arrived : NotWanted }, ct).ConfigureAwait(false);
        await stream.FlushAsync(ct).ConfigureAwait(false);
    }

    private async Task WriteAsync(Stream stream, ulong group, Message message, Stream file, CancellationToken ct)
    {
        var frame = new ArrayBufferWriter<byte>();
        frame.Write(StreamKind.Opening(StreamKind.Snapshot, self));
        Frames.WriteHead(frame.GetSpan(Frames.HeadSizeBytes), group, MessageCodec.SizeOf(message));
        frame.Advance(Frames.HeadSizeBytes);
        MessageCodec.Write(frame, message);
        await stream.WriteAsync(frame.WrittenMemory, ct).ConfigureAwait(false);

        var chunk = new byte[4 + ChunkSizeBytes];
        int size;
        do
        {
            size = await file.ReadAtLeastAsync(chunk.AsMemory(4), ChunkSizeBytes, throwOnEndOfStream: false, ct).ConfigureAwait(false);
            BinaryPrimitives.WriteInt32LittleEndian(chunk, size);
            await Deadline.KeepAsync(t => stream.WriteAsync(chunk.AsMemory(0, 4 + size), t), Silence, time, ct).ConfigureAwait(false);
            if (size is > 0 and < ChunkSizeBytes)
            {
                BinaryPrimitives.WriteInt32LittleEndian(chunk, 0);
                await stream.WriteAsync(chunk.AsMemory(0, 4), ct).ConfigureAwait(false);
                break;
            }
        }
        while (size > 0);
        await stream.FlushAsync(ct).ConfigureAwait(false);
    }

    private async Task CopyAsync(Stream from, Stream file, CancellationToken ct)
    {
        var chunk = new byte[ChunkSizeBytes];
        while (true)
        {
            // A peer that falls silent must not keep others from bringing theirs.
            await Deadline.KeepAsync(t => from.ReadExactlyAsync(chunk.AsMemory(0, 4), t), Silence, time, ct).ConfigureAwait(false);
            var size = BinaryPrimitives.ReadInt32LittleEndian(chunk);
            if (size == 0)
            {
                return;
            }

            if (size is < 0 or > ChunkSizeBytes)
            {
                throw new InvalidDataException($"a chunk of a snapshot claims {size} bytes; at most {ChunkSizeBytes} are sent");
            }

            await Deadline.KeepAsync(t => from.ReadExactlyAsync(chunk.AsMemory(0, size), t), Silence, time, ct).ConfigureAwait(false);
            await file.WriteAsync(chunk.AsMemory(0, size), ct).ConfigureAwait(false);
        }
    }
}
