using Skep.V1;
using Kind = Skep.V1.ManagerMember.Types.Kind;

namespace Skep.Api.Tests;

/// <summary>What is said of managers that are up or not.</summary>
public sealed class ManagersSentenceTests
{
    // One letter a member: u is up, d is down, l a learner, L a learner that is down, x leaves and is up.
    [Theory]
    [InlineData("u", "1 of 1 managers up: its failure stops writes; with three managers one failure is survived")]
    [InlineData("ul", "1 of 1 managers up: its failure stops writes; with three managers one failure is survived")]
    [InlineData("uu", "2 of 2 managers up: one failure stops writes")]
    [InlineData("uuu", "3 of 3 managers up: one failure is survived")]
    [InlineData("uuuL", "3 of 3 managers up: one failure is survived")]
    [InlineData("uud", "2 of 3 managers up: one more failure stops writes")]
    [InlineData("uuuu", "4 of 4 managers up: one failure is survived")]
    [InlineData("uuuud", "4 of 5 managers up: one more failure is survived")]
    [InlineData("uuuuu", "5 of 5 managers up: two failures are survived")]
    [InlineData("uuuuuuu", "7 of 7 managers up: three failures are survived")]
    [InlineData("uudd", "2 of 4 managers up: no quorum. Writes wait for node-3 (10.0.0.3:4242) or node-4 (10.0.0.4:4242); if they are lost for good: swarmd --force-new-cluster on this machine")]
    [InlineData("udd", "1 of 3 managers up: no quorum. Writes wait for node-2 (10.0.0.2:4242) or node-3 (10.0.0.3:4242); if they are lost for good: swarmd --force-new-cluster on this machine")]
    [InlineData("ud", "1 of 2 managers up: no quorum. Writes wait for node-2 (10.0.0.2:4242); if they are lost for good: swarmd --force-new-cluster on this machine")]
    [InlineData("udddd", "1 of 5 managers up: no quorum. Writes wait for two of node-2 (10.0.0.2:4242), node-3 (10.0.0.3:4242), node-4 (10.0.0.4:4242) and node-5 (10.0.0.5:4242); if they are lost for good: swarmd --force-new-cluster on this machine")]
    [InlineData("", "No managers known: this manager is not among the others yet")]
    public void The_sentence_says_what_the_next_failure_does(string members, string sentence) =>
        Assert.Equal(sentence, ManagersSentence.Of(ManagersQuorum.Conclude(Of(members))));

    [Fact]
    public void Without_a_leader_a_majority_that_answers_is_electing_one()
    {
        ManagersStatus status = Of("uuu");
        status.Leader = "";
        Assert.Equal("3 of 3 managers up: no leader yet, an election is under way", ManagersSentence.Of(ManagersQuorum.Conclude(status)));
    }

    [Fact]
    public void While_a_change_is_under_way_those_who_leave_are_needed_too()
    {
        // Of a and b, who stay, and c and d, who leave: a and b are a majority of the two, not of the four.
        ManagersStatus status = Of("uuxx");
        status.Members[2].Reachable = status.Members[3].Reachable = false;
        Assert.False(ManagersQuorum.Conclude(status).HasQuorum);
        status.Members[2].Reachable = true;
        Assert.True(ManagersQuorum.Conclude(status).HasQuorum);
        Assert.Equal(0u, status.FailuresSurvived);
    }

    [Fact]
    public void Why_and_mend_are_said_only_where_there_is_no_quorum()
    {
        Assert.Equal(("", "", 0), Facts(Of("uuu")));
        Assert.Equal(
            ("1 of 3 managers answers and 2 are needed",
             "start node-2 (10.0.0.2:4242) or node-3 (10.0.0.3:4242) again; if they are lost for good, stop one manager that is left and start it as swarmd --force-new-cluster",
             2),
            Facts(Of("udd")));
    }

    [Fact]
    public void A_member_whose_node_is_not_known_has_the_name_of_its_number()
    {
        ManagersStatus status = Of("ud");
        (status.Members[1].Hostname, status.Members[1].NodeId) = ("", "");
        Assert.Contains("Writes wait for 2 (10.0.0.2:4242)", ManagersSentence.Of(ManagersQuorum.Conclude(status)), StringComparison.Ordinal);
        Assert.Equal(["2"], status.Missing);
    }

    private static (string, string, int) Facts(ManagersStatus status)
    {
        ManagersQuorum.Conclude(status);
        return (status.Why, status.Mend, status.Missing.Count);
    }

    private static ManagersStatus Of(string members)
    {
        var status = new ManagersStatus { Leader = "n1" };
        for (int i = 1; i <= members.Length; i++)
        {
            char c = members[i - 1];
            status.Members.Add(new ManagerMember
            {
                NodeId = $"n{i}",
                Hostname = $"node-{i}",
                RaftId = (ulong)i,
                Address = $"10.0.0.{i}:4242",
                Kind = c is 'l' or 'L' ? Kind.Learner : c == 'x' ? Kind.Leaving : Kind.Voter,
                Reachable = c is 'u' or 'l' or 'x',
            });
        }
        return status;
    }
}
