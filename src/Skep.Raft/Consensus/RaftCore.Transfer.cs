namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    private ulong _transferTarget;
    private long _transferSinceMs;

    /// <summary>Whether this member leads and is handing the lead to another; proposals wait meanwhile.</summary>
    public bool IsTransferring => _transferTarget != 0;

    /// <summary>
    /// Hands leadership to a voter: proposals wait, the voter is brought up to date and told to campaign at once. When that
    /// does not come about within an election time-out this member leads on, though without lease for the rest of its term:
    /// what it sent may still arrive.
    /// </summary>
    /// <returns>null, or why not.</returns>
    public string? Transfer(ulong target)
    {
        if (Role != Role.Leader)
        {
            return $"member {Id:x} does not lead; ask the leader";
        }

        if (target == Id)
        {
            return $"member {Id:x} leads already";
        }

        if (!_log.Configuration.Voters.Any(v => v.Id == target))
        {
            return $"member {target:x} is no voter; leadership goes to one of {string.Join(", ", _log.Configuration.Voters.Select(v => v.Id.ToString("x")))}";
        }

        if (_transferTarget != 0)
        {
            return $"leadership is being handed to {_transferTarget:x} already; wait for that to end";
        }

        _transferTarget = target;
        _transferSinceMs = _nowMs;
        VoidLease();
        OfferLead();
        return null;
    }

    private void VoidLease() => _leaseVoid |= !HasFault(CoreFaults.LeaseKeptThroughTransfer);

    private void OfferLead()
    {
        if (_transferTarget != 0 && _progress.TryGetValue(_transferTarget, out var progress) && progress.Match == _log.LastIndex)
        {
            Send(ToFollower(MessageType.TimeoutNow, _transferTarget) with { Index = _log.LastIndex }, 0);
        }
    }
}
