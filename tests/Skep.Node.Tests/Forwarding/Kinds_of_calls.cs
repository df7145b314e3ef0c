using Skep.Node.Forwarding;

namespace Skep.Node.Tests.Forwarding;

public sealed class Kinds_of_calls
{
    [Theory]
    [InlineData("/docker.swarmkit.v1.Control/ListNodes", (int)CallKind.Read)]
    [InlineData("/docker.swarmkit.v1.Control/GetService", (int)CallKind.Read)]
    [InlineData("/docker.swarmkit.v1.Control/CreateService", (int)CallKind.Leader)]
    [InlineData("/docker.swarmkit.v1.Control/UpdateNode", (int)CallKind.Leader)]
    [InlineData("/docker.swarmkit.v1.Dispatcher/Session", (int)CallKind.Leader)]
    [InlineData("/docker.swarmkit.v1.NodeCA/IssueNodeCertificate", (int)CallKind.Leader)]
    [InlineData("/docker.swarmkit.v1.RaftMembership/Join", (int)CallKind.Leader)]
    [InlineData("/docker.swarmkit.v1.CA/GetRootCACertificate", (int)CallKind.Here)]
    [InlineData("/docker.swarmkit.v1.Watch/Watch", (int)CallKind.Here)]
    [InlineData("/docker.swarmkit.v1.Health/Check", (int)CallKind.Here)]
    [InlineData("/skep.v1.Why/WhyService", (int)CallKind.Read)]
    [InlineData("/nobody.Knows/It", (int)CallKind.Leader)]
    public void Reads_are_the_leaders_while_there_is_one_and_changes_are_always(string method, int kind) =>
        Assert.Equal((CallKind)kind, CallKinds.Of(method));

    [Fact]
    public void Only_a_request_that_is_a_stream_cannot_be_sent_again()
    {
        Assert.False(CallKinds.SendsOneMessage("/docker.swarmkit.v1.LogBroker/PublishLogs"));
        Assert.True(CallKinds.SendsOneMessage("/docker.swarmkit.v1.LogBroker/ListenSubscriptions"));
    }
}
