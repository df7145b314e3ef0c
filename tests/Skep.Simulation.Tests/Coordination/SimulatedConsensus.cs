using Skep.Coordination.Replication;
using Skep.Raft;
using Skep.Raft.Consensus;

namespace Skep.Simulation;

/// <summary>The group as a member sees it, on a simulated node: what it is asked for is done a moment later, in the node's own turn.</summary>
internal sealed class SimulatedConsensus(World world, SimulatedNode node, Mistake mistake) : IConsensus
{
    private const int HeldBackUs = 5_000;
    private readonly int _life = node.Life;
    private readonly Queue<(ReadOnlyMemory<byte> Command, Action Decided)> _proposals = new();
    private readonly Queue<(ulong Index, Action Decided)> _waiting = new();
    private ulong _leadingTerm;
    private bool _isProposing;
    private RaftConfiguration? _told;

    public Standing Standing { get; private set; }

    public string Members { get; private set; } = "";

    /// <summary>Since when there has been a leader, or none.</summary>
    public (bool HasLeader, long Us) LedSince { get; private set; } = (false, world.NowUs);

    public static string TextOf(RaftConfiguration members) =>
        string.Join('\n', members.Voters.Select(static m => $"server.{m.Id}=participant").Concat(members.Learners.Select(static m => $"server.{m.Id}=observer")));

    public required Action StandingChanged { get; init; }

    public void Propose(ReadOnlyMemory<byte> command, Action decided)
    {
        _proposals.Enqueue((command.ToArray(), decided));
        AskToPropose(0);
    }

    public void ReadIndex(Action<bool> done)
    {
        if (mistake == Mistake.ReadsWithoutBarrier)
        {
            Soon(() => done(true));
            return;
        }
        bool settled = false;
        Soon(() => node.ReadIndex(Settle));
        world.At(world.NowUs + 2000L * world.CoreOptions.ElectionTimeoutMs, node, _life, () => Settle(false));

        void Settle(bool admitted)
        {
            if (!settled)
            {
                settled = true;
                Soon(() => done(admitted));
            }
        }
    }

    public void HurryCommit(ulong member) => Soon(() => node.Core.HurryCommit(member));

    public void SendAside(ulong member, ReadOnlyMemory<byte> bytes) => world.SendAside(node, member, bytes.ToArray());

    public void Applied(ulong index)
    {
        while (_waiting.TryPeek(out (ulong Index, Action Decided) first) && first.Index <= index)
        {
            Soon(_waiting.Dequeue().Decided);
        }
    }

    /// <summary>At the end of each of the node's turns.</summary>
    public void Look()
    {
        RaftCore core = node.Core;
        bool leads = core.Role == Role.Leader;
        if (_leadingTerm != (leads ? core.Term : 0))
        {
            _leadingTerm = leads ? core.Term : 0;
            while (_waiting.TryDequeue(out (ulong Index, Action Decided) lost))
            {
                Soon(lost.Decided);
            }
        }
        bool hasLeader = leads || core.Leader != 0;
        if (hasLeader != LedSince.HasLeader)
        {
            LedSince = (hasLeader, world.NowUs);
        }
        TellMembers(core.Configuration);
        var standing = new Standing(core.Leader, core.Term, leads && node.Applied >= core.TermStart, core.Configuration.Voters.Count, core.Configuration.Learners.Any(l => l.Id == node.Id));
        if (standing != Standing)
        {
            Standing = standing;
            world.At(world.NowUs + world.Random.Next(2_000), node, _life, StandingChanged);
        }
    }

    private void TellMembers(RaftConfiguration now)
    {
        if (!ReferenceEquals(now, _told) && (mistake != Mistake.MembersNotTold || _told is null))
        {
            _told = now;
            Members = TextOf(now);
        }
    }

    private void Soon(Action act) => world.At(world.NowUs, node, _life, act);

    private void AskToPropose(int afterUs)
    {
        if (!_isProposing)
        {
            _isProposing = true;
            world.At(world.NowUs + afterUs, node, _life, () =>
            {
                _isProposing = false;
                Propose();
            });
        }
    }

    private void Propose()
    {
        while (_proposals.TryPeek(out (ReadOnlyMemory<byte> Command, Action Decided) next))
        {
            ProposalResult result = node.Propose(next.Command);
            if (result.Status is ProposalStatus.Transferring or ProposalStatus.TooMuchInFlight)
            {
                AskToPropose(HeldBackUs);
                return;
            }
            _proposals.Dequeue();
            if (result.Status == ProposalStatus.Accepted)
            {
                _waiting.Enqueue((result.FirstIndex, next.Decided));
            }
            else
            {
                Soon(next.Decided);
            }
        }
    }
}
