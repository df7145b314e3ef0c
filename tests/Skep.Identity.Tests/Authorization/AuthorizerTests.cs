using Grpc.Core;
using Skep.Identity.Authorization;
using Skep.Identity.Certificates;

namespace Skep.Identity.Tests.Authorization;

public sealed class AuthorizerTests
{
    private const string ForNodes = "/docker.swarmkit.v1.Dispatcher/Session";
    private const string ForManagers = "/docker.swarmkit.v1.Control/ListNodes";
    private const string ForAnybody = "/docker.swarmkit.v1.NodeCA/IssueNodeCertificate";

    private static readonly ClusterMembership Cluster = new("thiscluster", id => id == "removed");
    private static readonly CertificateFacts Worker = new("w1", ["swarm-worker"], "thiscluster");
    private static readonly CertificateFacts Manager = new("m1", ["swarm-manager"], "thiscluster");

    [Fact]
    public void A_worker_may_call_what_is_for_nodes() =>
        Assert.Equal(("w1", null), Who(Authorizer.Authorize(Worker, [], ForNodes, Cluster)));

    [Fact]
    public void A_manager_may_call_what_is_for_nodes_and_for_managers()
    {
        Assert.Equal(("m1", null), Who(Authorizer.Authorize(Manager, [], ForNodes, Cluster)));
        Assert.Equal(("m1", null), Who(Authorizer.Authorize(Manager, [], ForManagers, Cluster)));
    }

    [Fact]
    public void Somebody_without_a_certificate_may_call_only_what_is_for_anybody()
    {
        Assert.False(Authorizer.Authorize(null, [], ForAnybody, Cluster).IsNode);
        Refused(
            "Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = no client certificates in request",
            () => Authorizer.Authorize(null, [], ForNodes, Cluster));
    }

    [Fact]
    public void A_worker_may_not_call_what_is_for_managers() => Refused(
        "Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = "
        + "Permission denied: remote certificate not part of OUs: [swarm-manager]",
        () => Authorizer.Authorize(Worker, [], ForManagers, Cluster));

    [Fact]
    public void A_certificate_with_no_role_of_ours_is_refused() => Refused(
        "Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = "
        + "Permission denied: remote certificate not part of OUs: [swarm-worker swarm-manager]",
        () => Authorizer.Authorize(Worker with { OrganizationalUnits = ["guest"] }, [], ForNodes, Cluster));

    [Fact]
    public void A_node_of_another_cluster_under_the_same_root_is_refused() => Refused(
        "Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = "
        + "Permission denied: remote certificate not part of organization: thiscluster",
        () => Authorizer.Authorize(Worker with { Organization = "another" }, [], ForNodes, Cluster));

    [Fact]
    public void A_removed_node_is_refused() => Refused(
        "Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = "
        + "Permission denied: node removed was removed from swarm",
        () => Authorizer.Authorize(Worker with { CommonName = "removed" }, [], ForNodes, Cluster));

    [Fact]
    public void A_removed_node_is_a_stranger_where_anybody_may_call() =>
        Assert.False(Authorizer.Authorize(Worker with { CommonName = "removed" }, [], ForAnybody, Cluster).IsNode);

    [Fact]
    public void A_method_without_a_rule_is_refused_to_managers_too() => Refused(
        "Permission denied: no access rule for method /nobody.knows/This",
        () => Authorizer.Authorize(Manager, [], "/nobody.knows/This", Cluster));

    [Fact]
    public void A_manager_may_hand_on_a_workers_call()
    {
        var caller = Authorizer.Authorize(Manager, Forward(Worker, "10.0.0.9:1234"), ForNodes, Cluster, "10.0.0.1:5");

        Assert.Equal(("w1", "m1"), Who(caller));
        Assert.Equal("10.0.0.9:1234", caller.RemoteAddress);
        Assert.False(caller.IsManager);
    }

    [Fact]
    public void A_worker_may_not_hand_on_anything() => Refused(
        "Permission denied: unauthorized forwarder role: rpc error: code = PermissionDenied desc = "
        + "Permission denied: remote certificate not part of OUs: [swarm-manager]",
        () => Authorizer.Authorize(Worker, Forward(Manager), ForManagers, Cluster));

    [Fact]
    public void Nobody_without_a_certificate_may_hand_on_anything()
    {
        Refused(
            "Permission denied: unauthorized forwarder role: rpc error: code = PermissionDenied desc = no client certificates in request",
            () => Authorizer.Authorize(null, Forward(Manager), ForManagers, Cluster));
        Assert.False(Authorizer.Authorize(null, Forward(Manager), ForAnybody, Cluster).IsNode);
    }

    [Fact]
    public void A_removed_manager_may_not_hand_on_anything() => Refused(
        "Permission denied: unauthorized forwarder role: rpc error: code = PermissionDenied desc = "
        + "Permission denied: node removed was removed from swarm",
        () => Authorizer.Authorize(Manager with { CommonName = "removed" }, Forward(Worker), ForNodes, Cluster));

    [Fact]
    public void A_former_managers_certificate_is_good_for_what_workers_may_do_and_no_more()
    {
        var demoted = Cluster with { IsFormerManager = static id => id == "m1" };

        Refused(
            "Permission denied: unauthorized peer role: rpc error: code = PermissionDenied desc = Permission denied: node m1 is a manager no more",
            () => Authorizer.Authorize(Manager, [], ForManagers, demoted));
        Refused(
            "Permission denied: unauthorized forwarder role: rpc error: code = PermissionDenied desc = Permission denied: node m1 is a manager no more",
            () => Authorizer.Authorize(Manager, Forward(Worker), ForNodes, demoted));
        Assert.Equal("m1", Authorizer.Authorize(Manager, [], ForNodes, demoted).NodeId);
        Assert.Equal("m1", Authorizer.Authorize(Manager, [], ForAnybody, demoted).NodeId);
    }

    [Fact]
    public void A_removed_nodes_call_is_refused_when_it_is_handed_on() => Refused(
        "Permission denied: node removed was removed from swarm",
        () => Authorizer.Authorize(Manager, Forward(Worker with { CommonName = "removed" }), ForNodes, Cluster));

    [Fact]
    public void A_call_handed_on_for_a_stranger_is_not_the_managers_own()
    {
        var nobody = new CertificateFacts("", [], "");

        Refused(
            "Permission denied: missing information in forwarded request",
            () => Authorizer.Authorize(Manager, Forward(nobody), ForNodes, Cluster));
        var caller = Authorizer.Authorize(Manager, Forward(nobody, "10.0.0.9:1234"), ForAnybody, Cluster, "10.0.0.1:5");
        Assert.False(caller.IsNode);
        Assert.Equal("10.0.0.9:1234", caller.RemoteAddress);
    }

    [Fact]
    public void A_workers_call_for_managers_is_refused_when_it_is_handed_on() => Refused(
        "Permission denied: unauthorized forwarded role, expecting: [swarm-manager]",
        () => Authorizer.Authorize(Manager, Forward(Worker), ForManagers, Cluster));

    [Fact]
    public void A_call_of_another_cluster_is_refused_when_it_is_handed_on() => Refused(
        "Permission denied: organization mismatch, expecting: thiscluster",
        () => Authorizer.Authorize(Manager, Forward(Worker with { Organization = "another" }), ForNodes, Cluster));

    [Fact]
    public void What_a_caller_claims_of_itself_is_dropped_when_its_call_is_handed_on()
    {
        var claimed = Forward(Manager, "1.2.3.4:5");
        claimed.Add("skep-version", "1");

        var headers = new ForwardedCertificate(Worker, "10.0.0.9:1234").AppendTo(claimed);

        Assert.Equal(1, headers.Count(h => h.Key == "forwarded_cert_cn"));
        Assert.Equal(("w1", "m1"), Who(Authorizer.Authorize(Manager, headers, ForNodes, Cluster)));
        Assert.Equal("1", headers.GetValue("skep-version"));
    }

    private static Metadata Forward(CertificateFacts original, string? address = null) =>
        new ForwardedCertificate(original, address).AppendTo([]);

    private static (string NodeId, string? ForwardedBy) Who(CallerIdentity caller) => (caller.NodeId, caller.ForwardedBy);

    private static void Refused(string words, Func<CallerIdentity> call)
    {
        var refusal = Assert.Throws<RpcException>(call);
        Assert.Equal((StatusCode.PermissionDenied, words), (refusal.StatusCode, refusal.Status.Detail));
    }
}
