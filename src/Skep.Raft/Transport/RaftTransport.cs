using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Skep.Raft.Consensus;

namespace Skep.Raft.Transport;

/// <summary>
/// Carries messages between members over streams that others open and secure: one this member dials to each peer and sends
/// on, one that each peer dials to us, for all groups; and one for each snapshot.
/// </summary>
/// <param name="self">This member, and where its peers reach it.</param>
/// <param name="dial">Opens a stream to a member, authenticated both ways.</param>
/// <param name="time">Measures the pauses between attempts.</param>
/// <param name="logger">Where peers that come and go are told of.</param>
internal sealed class RaftTransport(
    RaftMember self, Func<RaftMember, CancellationToken, Task<Stream>> dial, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ulong, IGroupInbox> _groups = [];
    private readonly ConcurrentDictionary<ulong, PeerSender> _peers = [];
    private readonly ConcurrentDictionary<ulong, RaftMember> _addresses = [];
    private readonly SnapshotExchange _snapshots = new(self, dial, time, logger);
    private readonly ConcurrentDictionary<Task, byte> _serving = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();

    public void Register(ulong group, IGroupInbox inbox) => _groups[group] = inbox;

    public void Unregister(ulong group) => _groups.TryRemove(group, out _);

    /// <summary>Messages that were not sent, over all peers.</summary>
    public long Dropped => _peers.Values.Sum(p => p.Dropped);

    /// <summary>Whether the stream to a member stands.</summary>
    public bool IsConnected(ulong member) => _peers.TryGetValue(member, out var sender) && sender.IsConnected;

    /// <summary>Notes where a member is reached; a newer address takes the place of an older one.</summary>
    public void Learn(RaftMember member)
    {
        if (member.Id != self.Id && member.Address.Length > 0)
        {
            _addresses[member.Id] = member;
        }
    }

    /// <summary>Queues a message for the next <see cref="Flush"/>; never waits. One to a member of whom nothing is known is dropped.</summary>
    public void Send(ulong to, ulong group, Message message) => SenderTo(to)?.Send(group, message);

    /// <summary>Sends bytes to those who use the group at a member; dropped where they find no room or no stream.</summary>
    public void SendAside(ulong to, ulong group, ReadOnlySpan<byte> bytes)
    {
        if (SenderTo(to) is { } sender)
        {
            sender.SendAside(group, bytes);
            if (!Gathering.IsUnderWay)
            {
                sender.Flush();
            }
        }
    }

    private PeerSender? SenderTo(ulong to)
    {
        if (!_addresses.TryGetValue(to, out var member))
        {
            return null;
        }

        lock (_gate)
        {
            if (!_peers.TryGetValue(to, out var sender) || sender.Address != member.Address)
            {
                _ = sender?.DisposeAsync().AsTask();
                _peers[to] = sender = new PeerSender(self, member, dial, time, logger);
            }

            return sender;
        }
    }

    /// <summary>Sends what is queued, on this thread as far as the streams take it; never waits.</summary>
    /// <param name="evenWhileGathering">Otherwise a gathering's end does it.</param>
    public void Flush(bool evenWhileGathering = false)
    {
        if (Gathering.IsUnderWay && !evenWhileGathering)
        {
            return;
        }

        foreach (var (_, peer) in _peers)
        {
            peer.Flush();
        }
    }

    /// <summary>Has what this thread sends until the result is disposed of leave together.</summary>
    public Gathering Gather() => new(this);

    /// <summary>Brings a snapshot to a member, and then the message that tells of it.</summary>
    /// <returns>Whether it arrived whole.</returns>
    public Task<bool> SendSnapshotAsync(ulong to, ulong group, Message message, Stream file, CancellationToken ct) =>
        !_addresses.TryGetValue(to, out var member) ? Task.FromResult(false) : _snapshots.SendAsync(member, group, message, file, ct);

    /// <summary>Ends the stream to a member that belongs to no group any more.</summary>
    public async ValueTask ForgetAsync(ulong member)
    {
        if (_peers.TryRemove(member, out var sender))
        {
            await sender.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Takes what a peer sends on a stream that it opened, until it ends; closes the stream.</summary>
    /// <param name="stream">Authenticated.</param>
    /// <param name="from">Whose it is, as the authentication says: messages of anybody else end it.</param>
    /// <param name="ct">Ends it.</param>
    public async Task ServeAsync(Stream stream, ulong from, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, _stop.Token);
        var serving = ServeUntilEndAsync(stream, from, either.Token);
        _serving[serving] = 0;
        try
        {
            await serving.ConfigureAwait(false);
        }
        finally
        {
            _serving.TryRemove(serving, out _);
        }
    }

    private async Task ServeUntilEndAsync(Stream stream, ulong from, CancellationToken ct)
    {
        try
        {
            if (await StreamKind.ReadOpeningAsync(stream, ct).ConfigureAwait(false) is not var (kind, address))
            {
                return;
            }

            Learn(new RaftMember(from, address));
            await (kind == StreamKind.Messages
                ? ServeMessagesAsync(stream, from, ct)
                : _snapshots.ReceiveAsync(stream, from, g => _groups.GetValueOrDefault(g), ct)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            TransportMessages.Refused(logger, from, e.Message);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The member stops.
        }
        finally
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_serving.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var member in _peers.Keys)
        {
            await ForgetAsync(member).ConfigureAwait(false);
        }
    }

    private async Task ServeMessagesAsync(Stream stream, ulong from, CancellationToken ct)
    {
        // One read of the stream takes in all that has come, and a group looks at it once.
        var frames = new FrameReader(stream);
        var untold = new List<IGroupInbox>();
        while (await frames.ReadAsync(ct).ConfigureAwait(false) is var (group, payload))
        {
            var inbox = _groups.GetValueOrDefault(group);
            if (payload is [MessageCodec.Aside, ..])
            {
                inbox?.ReceiveAside(from, payload.AsMemory(1));
            }
            else
            {
                var message = ReadMessage(group, payload, from);
                if (inbox is not null)
                {
                    inbox.TryReceive(message);
                    if (!untold.Contains(inbox))
                    {
                        untold.Add(inbox);
                    }
                }
            }

            if (!frames.HasMore)
            {
                Handle(untold);
            }
        }
    }

    private void Handle(List<IGroupInbox> untold)
    {
        using var together = Gather();
        untold.ForEach(static inbox => inbox.Handle());
        untold.Clear();
    }

    private static Message ReadMessage(ulong group, byte[] payload, ulong from)
    {
        var message = MessageCodec.Read(group, payload);
        CheckSender(message, from);
        return message.Type == MessageType.Snapshot
            ? throw new InvalidDataException($"member {from:x} sent the message of a snapshot without the snapshot")
            : message;
    }

    internal static void CheckSender(Message message, ulong from)
    {
        if (message.From != from)
        {
            throw new InvalidDataException($"member {from:x} sent a message in the name of {message.From:x}");
        }
    }
}
