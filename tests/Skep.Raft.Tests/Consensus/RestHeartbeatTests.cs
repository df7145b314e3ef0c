using Skep.Raft.Consensus;

namespace Skep.Raft.Tests.Consensus;

public sealed class RestHeartbeatTests
{
    private const int RestMs = 2 * HandDrivenMember.HeartbeatMs;

    [Fact]
    public void A_leader_whose_members_have_all_there_is_and_know_it_tells_less_often_that_it_lives()
    {
        var member = Leader();
        Everybody(member, has: member.Core.LastIndex);
        Assert.True(member.Core.IsAtRest);
        Assert.False(BeatsAfter(member, HandDrivenMember.HeartbeatMs));
        Assert.True(BeatsAfter(member, RestMs - HandDrivenMember.HeartbeatMs));
    }

    [Fact]
    public void One_of_whose_members_an_entry_is_missing_tells_as_often_as_ever()
    {
        var member = Leader();
        member.Propose();
        member.Sync();
        member.Acknowledge(2, member.Core.LastIndex);
        Assert.False(member.Core.IsAtRest);
        Assert.True(BeatsAfter(member, HandDrivenMember.HeartbeatMs));
    }

    [Fact]
    public void A_command_ends_the_rest()
    {
        var member = Leader();
        Everybody(member, has: member.Core.LastIndex);
        member.Propose();
        Assert.False(member.Core.IsAtRest);
        Assert.True(BeatsAfter(member, HandDrivenMember.HeartbeatMs));
    }

    private static HandDrivenMember Leader()
    {
        var member = new HandDrivenMember(
            voters: 3, new CoreOptions { Id = 1, ElectionTimeoutMs = HandDrivenMember.ElectionMs, HeartbeatMs = HandDrivenMember.HeartbeatMs, RestHeartbeatMs = RestMs });
        member.Lead();
        member.Tick(HandDrivenMember.HeartbeatMs);
        return member;
    }

    private static void Everybody(HandDrivenMember member, ulong has)
    {
        member.Acknowledge(2, has);
        member.Acknowledge(3, has);
    }

    private static bool BeatsAfter(HandDrivenMember member, int ms)
    {
        member.Sent.Clear();
        member.Tick(ms);
        return member.Sent.Exists(static m => m.Type == MessageType.Heartbeat);
    }
}
