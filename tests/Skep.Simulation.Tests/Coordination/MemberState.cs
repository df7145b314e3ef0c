using Skep.Coordination.Serving;
using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>A member of the service in one life of its node.</summary>
internal sealed class MemberState : NodeState
{
    private readonly Service _service;
    private readonly SimulatedNode _node;
    private readonly SimulatedConsensus _consensus;
    private readonly Dictionary<long, (long DeadlineMs, int TimeoutMs)> _kept = [];
    private readonly int _life;

    public MemberState(Service service, SimulatedNode node, NodeState snapshot)
    {
        (_service, _node, _life) = (service, node, node.Life);
        var chance = new Random(service.World.Random.Next());
        _consensus = new SimulatedConsensus(service.World, node, service.Options.Mistake) { StandingChanged = Tick };
        Member = new Member(
            new MemberOptions
            {
                NowMs = () => node.NowMs,
                WallMs = () => service.WallMs,
                Fill = chance.NextBytes,
                LinearizableReads = service.ReadsAreLinearizable,
            },
            _consensus);
        BornUs = service.World.NowUs;
        Restore(snapshot);
        Ticking();
    }

    public Member Member { get; }

    /// <summary>When this life began.</summary>
    public long BornUs { get; }

    /// <summary>Since when it has known no leader, or one and the same; in true time.</summary>
    public (bool HasLeader, long Us) LedSince => _consensus.LedSince;

    public override void Apply(in LogRecord entry)
    {
        base.Apply(entry);
        _service.Truth.Apply(entry);
        if (entry.Type == RecordType.Command)
        {
            Mistakes.Apply(_service.Options.Mistake, Member, entry.Payload);
        }
        _consensus.Applied(entry.Index);
    }

    public override NodeState Clone() => new TreeState(Member.Capture(), Digest);

    public override NodeState Install(NodeState snapshot)
    {
        _service.World.Say(() => $"{_node.Id} takes a snapshot over");
        Restore(snapshot);
        return this;
    }

    public override void HearAside(ulong from, byte[] bytes) => Member.ReceiveAside(from, bytes);

    public override void Rest()
    {
        _consensus.Look();
        if (_node.Core.Role == Role.Leader)
        {
            _service.LedUs = _service.World.NowUs;
        }
    }

    private void Restore(NodeState snapshot)
    {
        using Stream stream = ((TreeState)snapshot).Open();
        if (_service.Options.Mistake == Mistake.ClientsKeptOverSnapshot)
        {
            Mistakes.Restore(Member, stream);
        }
        else
        {
            Member.Restore(stream);
        }
        Digest = snapshot.Digest;
    }

    private void Ticking() => _service.World.At(_service.World.NowUs + (long)(Member.TickMs * 1000 / _node.ClockRate), _node, _life, () =>
    {
        Tick();
        Ticking();
    });

    private void Tick()
    {
        switch (_service.Options.Mistake)
        {
            case Mistake.DeadlinesKept:
                Mistakes.TickAndKeepDeadlines(Member, _kept);
                break;
            case Mistake.HeardNotTold:
                Mistakes.TickAndTellNothing(Member, _consensus.Standing);
                break;
            default:
                Member.Tick();
                break;
        }
    }
}
