using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Raft.Consensus;
using Skep.Raft.Transport;

namespace Skep.Raft.Tests.Host;

public sealed class GroupTickerTests : IAsyncDisposable
{
    private static readonly RaftMember Peer = new(2, "two");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _clock = new();
    private readonly Writes _writes = new();
    private readonly RaftTransport _transport;
    private readonly GroupTicker _ticker;
    private readonly List<string> _ticks = [];

    public GroupTickerTests()
    {
        _transport = new RaftTransport(new RaftMember(1, "one"), (_, _) => Task.FromResult<Stream>(_writes), _clock, NullLogger.Instance);
        _ticker = new GroupTicker(_clock, _transport);
    }

    public async ValueTask DisposeAsync()
    {
        _ticker.Dispose();
        await _transport.DisposeAsync();
        await _writes.DisposeAsync();
    }

    [Fact]
    public void Each_group_is_ticked_when_it_is_due_and_not_again_before_it_says_so()
    {
        var (a, b) = (Group("a"), Group("b"));
        a.Due(_ticker.NowMs + 20);
        b.Due(_ticker.NowMs + 50);
        _clock.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(["a"], _ticks);
        Assert.Equal((true, false), (a.IsSpent, b.IsSpent));

        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(["a", "b"], _ticks);
    }

    [Fact]
    public void An_earlier_time_takes_the_place_of_a_later_one_and_a_later_one_of_an_earlier()
    {
        var a = Group("a");
        a.Due(_ticker.NowMs + 1_000);
        a.Due(_ticker.NowMs + 10);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(["a"], _ticks);

        a.Due(_ticker.NowMs + 10);
        a.Due(_ticker.NowMs + 1_000);
        _clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(["a"], _ticks);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["a", "a"], _ticks);
    }

    [Fact]
    public void A_tick_that_is_due_already_is_not_put_off()
    {
        var a = Group("a");
        a.Due(_ticker.NowMs);
        a.Due(_ticker.NowMs + 1_000);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["a"], _ticks);
    }

    [Fact]
    public void A_group_that_is_gone_is_not_ticked()
    {
        var a = Group("a");
        a.Due(_ticker.NowMs + 10);
        a.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_ticks);
    }

    [Fact]
    public void Behind_a_turn_that_takes_long_the_others_get_threads_of_their_own()
    {
        var lent = new List<bool>();
        var slow = _ticker.Add(here =>
        {
            lent.Add(here);
            _clock.Advance(TimeSpan.FromMilliseconds(20));
        });
        var other = _ticker.Add(lent.Add);
        slow.Due(_ticker.NowMs + 10);
        other.Due(_ticker.NowMs + 10);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal([true, false], lent);
    }

    [Fact]
    public async Task What_groups_that_are_due_together_send_to_a_peer_leaves_in_one_write()
    {
        _transport.Learn(Peer);
        _transport.Send(Peer.Id, 1, Heartbeat);
        await _writes.NextAsync("the opening of the stream");
        await _writes.NextAsync("what was to be sent when it was dialled");
        int one = _writes.LastSizeBytes;

        foreach (ulong group in (ulong[])[1, 2])
        {
            var ticked = _ticker.Add(_ =>
            {
                _transport.Send(Peer.Id, group, Heartbeat);
                _transport.Flush();
            });
            ticked.Due(_ticker.NowMs + 10);
        }

        _clock.Advance(TimeSpan.FromMilliseconds(10));
        await _writes.NextAsync("what both groups say");
        Assert.Equal(2 * one, _writes.LastSizeBytes);
        Assert.Equal(0, _writes.Waiting);
    }

    private static Message Heartbeat => new() { Type = MessageType.Heartbeat, From = 1, To = Peer.Id, Term = 1 };

    private GroupTicker.Ticked Group(string name) => _ticker.Add(_ => _ticks.Add(name));

    /// <summary>A stream of which each write is seen.</summary>
    private sealed class Writes : MemoryStream
    {
        private readonly Channel<int> _sizes = Channel.CreateUnbounded<int>();

        public int LastSizeBytes { get; private set; }

        public int Waiting => _sizes.Reader.Count;

        public async Task NextAsync(string phase)
        {
            try
            {
                LastSizeBytes = await _sizes.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException($"timed out after {Patience.TotalSeconds} s: {phase} is written", e);
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _sizes.Writer.TryWrite(buffer.Length);
            return ValueTask.CompletedTask;
        }
    }
}
