using Skep.Raft;
using Skep.Raft.Consensus;

namespace Skep.Simulation;

/// <summary>
/// Who is to be in the group, and the steps towards it, as the managers take them: who is new learns first, and who has left is stopped
/// some time later. Whoever leads is asked until all is as wanted.
/// </summary>
internal sealed class Membership
{
    private const int StepUs = 300_000;
    private const int LongestStayUs = 15_000_000;
    private const int MostVoters = 5;
    private readonly Service _service;
    private readonly World _world;
    private readonly Dictionary<ulong, long> _stops = [];
    private ulong[] _voters;
    private ulong[] _observers = [];

    public Membership(Service service, int voters)
    {
        (_service, _world) = (service, service.World);
        _voters = [.. Enumerable.Range(1, voters).Select(static id => (ulong)id)];
        IsChanging = service.World.Random.Next(2) == 0;
    }

    /// <summary>Whether the members change in this run.</summary>
    public bool IsChanging { get; }

    /// <summary>Those that are to be in the group.</summary>
    public IEnumerable<SimulatedNode> Wanted => _world.Nodes.Where(n => IsWanted(n.Id));

    /// <summary>Whether the group is as it is to be, and nobody else runs.</summary>
    public bool IsSettled => _world.LeaderNode is { } leader && IsAsWanted(leader.Core.Configuration) && _world.Nodes.TrueForAll(n => n.IsUp == IsWanted(n.Id));

    /// <summary>Whether a node has left and is not to come back: nothing runs there.</summary>
    public bool IsOut(SimulatedNode node) => !IsWanted(node.Id) && !_service.Truth.Configuration.MemberIds().Contains(node.Id);

    public void Start()
    {
        foreach (SimulatedNode node in Wanted)
        {
            node.Start();
        }
        if (IsChanging)
        {
            Next();
        }
    }

    /// <summary>Others are wanted from now on: some to vote, some to observe.</summary>
    public void Change()
    {
        ulong[] all = [.. _world.Nodes.Select(static n => n.Id).OrderBy(_ => _world.Random.Next())];
        int voters = 1 + _world.Random.Next(Math.Min(MostVoters, all.Length));
        (_voters, _observers) = (all[..voters], [.. all[voters..].Take(_world.Random.Next(3))]);
        _world.Say(() => $"wanted are the voters {string.Join(' ', _voters)} and the observers {string.Join(' ', _observers)}");
    }

    private bool IsWanted(ulong id) => _voters.Contains(id) || _observers.Contains(id);

    private bool IsAsWanted(RaftConfiguration now) => !now.IsJoint() && IsSame(now.Voters, _voters) && IsSame(now.Learners, _observers);

    private static bool IsSame(IReadOnlyList<RaftMember> members, ulong[] wanted) => members.Count == wanted.Length && members.All(m => wanted.Contains(m.Id));

    private void Next() => _world.At(_world.NowUs + StepUs, () =>
    {
        Step();
        Next();
    });

    private void Step()
    {
        foreach (SimulatedNode node in _world.Nodes)
        {
            if (!node.IsUp || !IsOut(node))
            {
                _stops.Remove(node.Id);
            }
            else if (_stops.TryAdd(node.Id, _world.NowUs + _world.Random.Next(LongestStayUs)))
            {
                _world.Say(() => $"{node.Id} has left");
            }
            else if (_world.NowUs > _stops[node.Id])
            {
                _world.Say(() => $"{node.Id} is stopped");
                node.Crash();
            }
        }
        if (_world.LeaderNode is not { } leader || IsAsWanted(leader.Core.Configuration))
        {
            return;
        }
        RaftConfiguration now = leader.Core.Configuration;
        ulong[] joining = [.. _voters.Concat(_observers).Except(now.MemberIds())];
        foreach (SimulatedNode node in _world.Nodes.Where(n => joining.Contains(n.Id) && !n.IsUp && !_service.Truth.Configuration.MemberIds().Contains(n.Id)))
        {
            _world.Say(() => $"{node.Id} comes");
            node.Start();
        }
        string? refusal = joining.Length > 0
            ? leader.Change([.. now.Voters.Select(static m => m.Id)], [.. now.Learners.Select(static m => m.Id), .. joining])
            : leader.Change(_voters, _observers);
        _world.Say(() => $"{leader.Id} is asked for a change: {refusal ?? "yes"}");
    }
}
