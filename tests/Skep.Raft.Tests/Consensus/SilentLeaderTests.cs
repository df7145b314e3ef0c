using Skep.Raft.Consensus;

namespace Skep.Raft.Tests.Consensus;

public sealed class SilentLeaderTests
{
    [Fact]
    public void Who_does_not_vote_knows_no_leader_any_more_once_it_has_been_silent_for_too_long()
    {
        var learner = new HandDrivenMember(voters: 3, new CoreOptions { Id = 9, ElectionTimeoutMs = HandDrivenMember.ElectionMs, HeartbeatMs = HandDrivenMember.HeartbeatMs });
        learner.Receive(new Message { Type = MessageType.Heartbeat, From = 1, To = 9, Term = 1 });
        learner.Tick(HandDrivenMember.ElectionMs - 10);
        Assert.Equal(1UL, learner.Core.Leader);

        learner.Tick(2 * HandDrivenMember.ElectionMs);
        Assert.Equal((0UL, Role.Follower, 1UL), (learner.Core.Leader, learner.Core.Role, learner.Core.Term));

        learner.Receive(new Message { Type = MessageType.Heartbeat, From = 1, To = 9, Term = 1 });
        Assert.Equal(1UL, learner.Core.Leader);
    }
}
