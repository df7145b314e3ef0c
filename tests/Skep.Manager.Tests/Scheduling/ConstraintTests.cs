using Docker.Swarmkit.V1;
using Skep.Manager.Scheduling;

namespace Skep.Manager.Tests.Scheduling;

public sealed class ConstraintTests
{
    private static readonly Node Manager = A.Node("n1").With(n =>
    {
        n.Role = NodeRole.Manager;
        n.Spec.Annotations.Labels["Zone"] = "East";
        n.Description.Engine.Labels["storage"] = "ssd";
    });

    [Theory]
    [InlineData("node.id==n1")]
    [InlineData("NODE.ID == N1")]
    [InlineData("node.id!=n2")]
    [InlineData("node.hostname==host-n1")]
    [InlineData("node.role==manager")]
    [InlineData("node.role!=worker")]
    [InlineData("node.platform.os==linux")]
    [InlineData("node.platform.arch==x86_64")]
    [InlineData("node.ip==10.1.2.3")]
    [InlineData("node.ip==10.1.0.0/16")]
    [InlineData("node.ip==10.1.2.9/24")]
    [InlineData("node.ip!=10.1.3.0/24")]
    [InlineData("node.ip!=2001:db8::/32")]
    [InlineData("node.labels.Zone==east")]
    [InlineData("node.labels.zone!=east")]
    [InlineData("node.labels.rack!=7")]
    [InlineData("engine.labels.storage==SSD")]
    [InlineData("Engine.Labels.storage!=hdd")]
    public void A_node_meets_a_constraint_that_says_what_it_is(string expression) => Assert.True(Met(expression, Manager));

    [Theory]
    [InlineData("node.id==n2")]
    [InlineData("node.id!=n1")]
    [InlineData("node.role==worker")]
    [InlineData("node.ip==10.1.2.4")]
    [InlineData("node.ip==10.2.0.0/16")]
    [InlineData("node.ip==10.1")]
    [InlineData("node.ip!=10.1.0.0/33")]
    [InlineData("node.ip!=nonsense")]
    [InlineData("node.labels.zone==east")]
    [InlineData("node.labels.rack==7")]
    [InlineData("engine.labels.storage!=ssd")]
    [InlineData("node.colour!=red")]
    [InlineData("node.labels.!=red")]
    public void A_node_does_not_meet_a_constraint_that_says_something_else_or_nothing_known(string expression) =>
        Assert.False(Met(expression, Manager));

    [Fact]
    public void A_node_without_description_has_empty_values_so_only_unequal_is_met()
    {
        var bare = new Node { Id = "bare" };

        Assert.True(Met("node.hostname!=x", bare));
        Assert.False(Met("node.hostname==x", bare));
        Assert.True(Met("node.ip!=10.0.0.1", bare));
        Assert.False(Met("node.ip==10.0.0.0/8", bare));
    }

    [Theory]
    [InlineData("node.id=n1", "constraint expected one operator from ==, !=")]
    [InlineData("", "constraint expected one operator from ==, !=")]
    [InlineData("==n1", "key '' is invalid")]
    [InlineData("1node==x", "key '1node' is invalid")]
    [InlineData("n==x", "key 'n' is invalid")]
    [InlineData("node id==x", "key 'node id' is invalid")]
    [InlineData("a!=b==c", "key 'a!=b' is invalid")]
    [InlineData("node.id==", "value '' is invalid")]
    [InlineData("node.id==a,b", "value 'a,b' is invalid")]
    [InlineData("node.id!=~x", "value '~x' is invalid")]
    public void A_bad_constraint_is_refused_in_SwarmKits_words(string expression, string words)
    {
        Assert.False(Constraint.TryParse(["node.id==n1", expression], out _, out string? error));
        Assert.Equal(words, error);
    }

    private static bool Met(string expression, Node node)
    {
        Assert.True(Constraint.TryParse([expression], out IReadOnlyList<Constraint>? constraints, out string? error), error);
        return constraints.AreMetBy(node);
    }
}
