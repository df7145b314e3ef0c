using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Raft.Consensus;
using Skep.Raft.Transport;

namespace Skep.Raft.Tests.Transport;

public sealed class PeerSenderTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _clock = new();
    private readonly Channel<int> _dials = Channel.CreateUnbounded<int>();

    [Fact]
    public async Task A_peer_that_is_away_is_dialled_for_as_long_as_there_is_something_to_say_and_no_longer()
    {
        await using var sender = new PeerSender(new RaftMember(1, "one"), new RaftMember(2, "two"), DialAsync, _clock, NullLogger.Instance);
        for (var i = 0; i < 3; i++)
        {
            await _dials.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
            await UntilDialledAsync(() => sender.Send(1, new Message { Type = MessageType.Heartbeat, From = 1, To = 2, Term = 1 }));
        }

        // What was waiting may be reason for one more.
        while (_dials.Reader.TryRead(out _))
        {
        }

        var further = 0;
        for (var i = 0; i < 200; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            further += _dials.Reader.TryRead(out _) ? 1 : 0;
        }

        Assert.InRange(further, 0, 1);
    }

    private async Task UntilDialledAsync(Action say)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!_dials.Reader.TryPeek(out _))
        {
            patience.Token.ThrowIfCancellationRequested();
            say();
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    private Task<Stream> DialAsync(RaftMember peer, CancellationToken ct)
    {
        _dials.Writer.TryWrite(0);
        throw new IOException("nobody is there");
    }
}
