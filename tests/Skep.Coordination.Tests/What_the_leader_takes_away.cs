using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Coordination.Tests;

/// <summary>Containers and nodes with a time to live: between the leader's look and what comes of it clients go on writing.</summary>
public sealed class What_the_leader_takes_away
{
    private const int LookMs = 10_000;
    private const int TtlMs = 3_000;
    private readonly FakeGroup _group = new() { Standing = new Standing(1, 1, Leads: true, 1) };
    private readonly Connection _client;

    public What_the_leader_takes_away()
    {
        _group.Tick(0);
        _client = _group.Connect();
        _group.Ask(_client, 1, OpCode.CreateTtl, new CreateTtlRequest("/t", null, Trees.Open, 5, TtlMs));
        MakeContainer();
        _group.Ask(_client, 3, OpCode.Create, new CreateRequest("/c/x", null, Trees.Open, 0));
        _group.Ask(_client, 4, OpCode.Delete, new VersionedPathRequest("/c/x", -1));
        _group.ApplyAll();
    }

    [Fact]
    public void Goes()
    {
        _group.Tick(LookMs);
        _group.ApplyAll();
        Assert.Equal([false, false], There());
    }

    [Fact]
    public void Stays_where_its_time_began_anew_before_that_was_agreed_on()
    {
        WriteBeforeWhatTheLeaderAsksFor(() => _group.Ask(_client, 5, OpCode.SetData, new SetDataRequest("/t", null, -1)));
        Assert.Equal([false, true], There());

        _group.Tick(LookMs);
        _group.ApplyAll();
        Assert.Equal([false, false], There());
    }

    [Fact]
    public void Stays_where_it_was_made_anew_before_that_was_agreed_on()
    {
        WriteBeforeWhatTheLeaderAsksFor(() =>
        {
            _group.Ask(_client, 5, OpCode.Delete, new VersionedPathRequest("/c", -1));
            MakeContainer();
        });
        Assert.Equal([true, false], There());
    }

    [Fact]
    public void Goes_in_any_case_where_an_earlier_version_asked_for_it_so_that_its_log_says_the_same_when_it_is_read_again()
    {
        byte[] asked = Write.Own(OpCode.DeleteContainer, new PathRequest("/t"));
        byte[] command = new byte[Write.HeadSizeBytes + asked.Length];
        Write.WriteHead(command, _group.NowMs);
        asked.CopyTo(command, Write.HeadSizeBytes);
        _group.Member.Apply(command);
        Assert.Equal([true, false], There());
    }

    private void MakeContainer() => _group.Ask(_client, 2, OpCode.CreateContainer, new CreateRequest("/c", null, Trees.Open, 4));

    private void WriteBeforeWhatTheLeaderAsksFor(Action write)
    {
        _group.Tick(LookMs);
        List<byte[]> asked = [.. _group.Commands];
        _group.Commands.Clear();
        write();
        asked.ForEach(_group.Commands.Enqueue);
        _group.ApplyAll();
    }

    private IEnumerable<bool> There() => _group.Member.Look(static v => new[] { "/c", "/t" }.Select(path => v.Tree.Exists(path, out _) == ErrorCode.Ok).ToArray());
}
