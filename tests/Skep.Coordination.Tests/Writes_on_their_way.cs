using Skep.Coordination.Replication;

namespace Skep.Coordination.Tests;

public sealed class Writes_on_their_way
{
    private readonly Group _group = new();
    private readonly WriteQueue _queue;

    public Writes_on_their_way() => _queue = new WriteQueue(_group, static () => 77);

    [Fact]
    public void Are_at_most_four_commands_and_what_waits_goes_together()
    {
        for (int i = 0; i < 20; i++)
        {
            Add(10);
        }
        Assert.Equal(4, _group.Commands.Count);
        _group.Decided.Dequeue()();
        Assert.Equal(5, _group.Commands.Count);
        Assert.Equal(16, CountOf(_group.Commands[4]));
        Assert.Equal(77, Write.ReadHead(_group.Commands[4].Span));
    }

    [Fact]
    public void Go_to_the_leader_where_another_leads()
    {
        _group.Standing = new(2, 1, Leads: false, 3);
        Add(10);
        Assert.Equal(2UL, _group.Asides.Single().To);
        Assert.Equal(WriteQueue.AsideKind, _group.Asides.Single().Bytes[0]);
        Assert.Empty(_group.Commands);
    }

    [Fact]
    public void Are_forgotten_where_nobody_leads_since_their_members_send_them_again()
    {
        _group.Standing = default;
        Add(10);
        _group.Standing = new(1, 2, Leads: true, 3);
        Add(10);
        Assert.Equal(1, CountOf(_group.Commands.Single()));
    }

    [Fact]
    public void Are_cut_between_two_writes_into_what_a_command_takes()
    {
        for (int i = 0; i < 30; i++)
        {
            _queue.Add(Write.Request(1, 1, i, Jute.OpCode.SetData, new byte[300_000]));
        }
        _queue.Flush();
        while (_group.Decided.TryDequeue(out Action? decided))
        {
            decided();
        }
        Assert.All(_group.Commands, static c => Assert.InRange(c.Length, 1, 1_400_000));
        Assert.Equal(30, _group.Commands.Sum(CountOf));
    }

    [Fact]
    public void Have_their_member_told_at_once_when_nothing_follows_that_would_tell_it()
    {
        _queue.Receive(3, Write.Request(1, 1, 1, Jute.OpCode.SetData, new byte[10]));
        _queue.Receive(3, Write.Request(1, 1, 2, Jute.OpCode.SetData, new byte[10]));
        _group.Decided.Dequeue()();
        Assert.Empty(_group.Hurried);
        _group.Decided.Dequeue()();
        Assert.Equal([3UL], _group.Hurried);
    }

    [Fact]
    public void Do_not_fill_the_leaders_memory()
    {
        for (int i = 0; i < 100; i++)
        {
            _queue.Receive(2, new byte[1024 * 1024]);
        }
        Assert.InRange(_queue.Dropped, 30, 40);
    }

    private void Add(int sizeBytes)
    {
        _queue.Add(Write.Request(1, 1, 1, Jute.OpCode.SetData, new byte[sizeBytes]));
        _queue.Flush();
    }

    private static int CountOf(ReadOnlyMemory<byte> command)
    {
        ReadOnlyMemory<byte> rest = command[Write.HeadSizeBytes..];
        int count = 0;
        while (Write.TryTake(ref rest, out _))
        {
            count++;
        }
        Assert.Equal(0, rest.Length);
        return count;
    }

    /// <summary>A group that decides when the test says so.</summary>
    private sealed class Group : IConsensus
    {
        public List<ReadOnlyMemory<byte>> Commands { get; } = [];

        public List<(ulong To, byte[] Bytes)> Asides { get; } = [];

        public Queue<Action> Decided { get; } = new();

        public Standing Standing { get; set; } = new(1, 1, Leads: true, 3);

        public string Members => "";

        public void Propose(ReadOnlyMemory<byte> command, Action decided)
        {
            Commands.Add(command);
            Decided.Enqueue(decided);
        }

        public void ReadIndex(Action<bool> done) => throw new InvalidOperationException("nobody reads here");

        public List<ulong> Hurried { get; } = [];

        public void HurryCommit(ulong member) => Hurried.Add(member);

        public void SendAside(ulong member, ReadOnlyMemory<byte> bytes) => Asides.Add((member, bytes.ToArray()));
    }
}
