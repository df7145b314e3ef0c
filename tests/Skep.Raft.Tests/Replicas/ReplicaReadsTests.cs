using Skep.Raft.Consensus;
using Skep.Raft.Tests.Consensus;

namespace Skep.Raft.Tests.Replicas;

public sealed class ReplicaReadsTests
{
    private const int PatienceMs = 200;

    [Fact]
    public async Task An_admitted_read_is_given_up_when_nothing_more_is_applied()
    {
        var (reads, reader) = Admitted(index: 5);
        reads.GiveUp(100 + PatienceMs, Gone);
        Assert.False(reader.IsCompleted);
        reads.GiveUp(101 + PatienceMs, Gone);
        await Assert.ThrowsAsync<NotLeaderException>(() => reader.WaitAsync(Members.Patience));
    }

    [Fact]
    public void An_admitted_read_waits_as_long_as_the_member_gets_on()
    {
        var (reads, reader) = Admitted(index: 5);
        for (ulong applied = 2; applied < 5; applied++)
        {
            reads.Applied(applied, (long)applied * PatienceMs);
            reads.GiveUp((long)(applied + 1) * PatienceMs, Gone);
            Assert.False(reader.IsCompleted);
        }

        reads.Applied(5, 5 * PatienceMs);
        Assert.True(reader.IsCompletedSuccessfully);
    }

    // Asked and admitted at 100 ms.
    private static (ReplicaReads Reads, Task Reader) Admitted(ulong index)
    {
        var member = new HandDrivenMember(3);
        member.Lead();
        var reads = new ReplicaReads(PatienceMs, firstContext: 0);
        var reader = new TaskCompletionSource();
        reads.Add(reader);
        reads.Ask(member.Core, 100, Gone);
        reads.Decided([new ReadState(1, index)], 100, Gone);
        return (reads, reader.Task);
    }

    private static NotLeaderException Gone() => new(null);
}
