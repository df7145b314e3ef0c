using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Skep.V1;
using Swarmctl.Tests.Support;
using Kind = Skep.V1.ManagerMember.Types.Kind;

namespace Swarmctl.Tests.Commands;

/// <summary><c>cluster status</c>, and answers that may be out of date.</summary>
public sealed class ClusterStatusTests : IAsyncLifetime
{
    private const string Warning = "node-1 knows of no leader: what it shows may be out of date";
    private readonly FakeManager _manager = new();

    public async ValueTask InitializeAsync() => await _manager.StartAsync();

    public ValueTask DisposeAsync() => _manager.DisposeAsync();

    [Fact]
    public async Task Three_managers_survive_one_failure()
    {
        _manager.Managers.Managers = Status(up: 3);
        GoldenFile.Matches("cluster-status-all-up", (await _manager.RunAsync("cluster", "status")).Succeeds().Output);
    }

    [Fact]
    public async Task One_manager_down_and_a_learner()
    {
        ManagersStatus status = Status(up: 2);
        status.Members[2].UnreachableSince = Timestamp.FromDateTimeOffset(RedisCluster.Start.AddMinutes(-5));
        status.Members.Add(new ManagerMember { NodeId = "4z9qq6kq2drzmdsbkkzjzl4o1", Hostname = "node-4", RaftId = 0xd, Address = "10.0.0.4:4242", Kind = Kind.Learner, Reachable = true, LagEntries = 812 });
        _manager.Managers.Managers = ManagersQuorum.Conclude(status);
        GoldenFile.Matches("cluster-status-one-down", (await _manager.RunAsync("cluster", "status")).Succeeds().Output);
    }

    [Fact]
    public async Task Without_a_quorum_it_says_who_is_missing_and_what_to_do_when_they_are_lost()
    {
        ManagersStatus status = Status(up: 1);
        (status.Leader, status.MayBeStale, status.Members[0].Leader) = ("", true, false);
        _manager.Managers.Managers = status;
        GoldenFile.Matches("cluster-status-no-quorum", (await _manager.RunAsync("cluster", "status")).Succeeds().Output);
    }

    [Fact]
    public async Task It_is_to_be_had_as_JSON()
    {
        _manager.Managers.Managers = Status(up: 2);
        using JsonDocument json = JsonDocument.Parse((await _manager.RunAsync("cluster", "status", "--format", "json")).Succeeds().Output);
        Assert.True(json.RootElement.GetProperty("has_quorum").GetBoolean());
        Assert.Equal("cfrhkj2wyk6gzqxq25vkmzyqk", json.RootElement.GetProperty("missing")[0].GetString());
        Assert.Equal("node-2", json.RootElement.GetProperty("members")[1].GetProperty("hostname").GetString());
    }

    [Fact]
    public async Task It_takes_no_argument() =>
        Assert.Equal(255, (await _manager.RunAsync("cluster", "status", "default")).ExitCode);

    [Theory]
    [InlineData("node", "ls")]
    [InlineData("service", "inspect", "redis")]
    [InlineData("task", "ls")]
    [InlineData("cluster", "status")]
    public async Task An_answer_that_may_be_out_of_date_is_warned_of_once(params string[] command)
    {
        _manager.Control.AddNodes().AddService(1, "3.0.5", "rt0jblz40w9wdtfkdh6r8bzx8 1 3.0.5 RUNNING RUNNING 4 node-1");
        _manager.MayBeStale = Warning;
        CommandResult result = await _manager.RunAsync(command);
        Assert.Equal((0, $"Warning: {Warning}\n"), (result.ExitCode, result.Errors));
    }

    [Fact]
    public async Task A_failure_is_told_behind_the_warning()
    {
        _manager.MayBeStale = Warning;
        CommandResult result = await _manager.RunAsync("service", "inspect", "nothing");
        Assert.StartsWith($"Warning: {Warning}\nError: ", result.Errors, StringComparison.Ordinal);
    }

    private static ManagersStatus Status(int up)
    {
        var status = new ManagersStatus { AnsweredBy = "v8v9zkajvhc273lqnkomel4qa", Leader = "v8v9zkajvhc273lqnkomel4qa", Term = 5, CommitIndex = 1234 };
        string[] ids = ["v8v9zkajvhc273lqnkomel4qa", "al9dj6jr9a89vgl7d8ihs6i7m", "cfrhkj2wyk6gzqxq25vkmzyqk"];
        for (int i = 0; i < ids.Length; i++)
        {
            var member = new ManagerMember { NodeId = ids[i], Hostname = $"node-{i + 1}", RaftId = 0xa + (ulong)i, Address = $"10.0.0.{i + 1}:4242", Reachable = i < up, Leader = i == 0 };
            if (i == 0)
            {
                member.AppliedIndex = 1234;
            }
            if (i < up)
            {
                member.LagEntries = i == 1 ? 7u : 0u;
            }
            status.Members.Add(member);
        }
        return ManagersQuorum.Conclude(status);
    }
}
