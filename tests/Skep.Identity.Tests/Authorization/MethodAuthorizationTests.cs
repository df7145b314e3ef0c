using System.Reflection;
using Docker.Swarmkit.V1;
using Google.Protobuf.Reflection;
using Skep.Identity.Authorization;

namespace Skep.Identity.Tests.Authorization;

public sealed class MethodAuthorizationTests
{
    private static readonly Dictionary<string, string[]> ByService = new()
    {
        ["Dispatcher"] = ["swarm-worker", "swarm-manager"],
        ["LogBroker"] = ["swarm-worker", "swarm-manager"],
        ["ResourceAllocator"] = ["swarm-worker", "swarm-manager"],
        ["Control"] = ["swarm-manager"],
        ["Watch"] = ["swarm-manager"],
        ["Logs"] = ["swarm-manager"],
        ["Health"] = ["swarm-manager"],
        ["Raft"] = ["swarm-manager"],
        ["RaftMembership"] = ["swarm-manager"],
    };

    [Fact]
    public void Every_method_of_SwarmKit_is_open_to_whom_SwarmKit_opens_it()
    {
        var methods = AllMethods().Where(m => m.Service.File.Package == "docker.swarmkit.v1").ToList();

        Assert.True(methods.Count > 60, $"only {methods.Count} methods found");
        Assert.All(methods, m => Assert.Equal((Name(m), Expected(m)), (Name(m), MethodAuthorization.Of(Name(m)))));
    }

    [Fact]
    public void Every_method_there_is_has_a_rule() =>
        Assert.All(AllMethods(), m => Assert.NotEqual(Access.Nobody, MethodAuthorization.Of(Name(m))));

    [Fact]
    public void Exactly_three_methods_are_open_to_callers_without_a_certificate() =>
        Assert.Equal(
            [
                "/docker.swarmkit.v1.CA/GetRootCACertificate",
                "/docker.swarmkit.v1.NodeCA/IssueNodeCertificate",
                "/docker.swarmkit.v1.NodeCA/NodeCertificateStatus",
            ],
            AllMethods().Select(Name).Where(m => MethodAuthorization.Of(m) == Access.Anybody).Order());

    [Theory]
    [InlineData("/docker.swarmkit.v1.Unheard/Of")]
    [InlineData("/docker.swarmkit.v1.Control2/ListNodes")]
    [InlineData("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")]
    [InlineData("/skep.v10.Why/ExplainTask")]
    [InlineData("")]
    public void What_is_not_known_is_open_to_nobody(string method) =>
        Assert.Equal(Access.Nobody, MethodAuthorization.Of(method));

    private static Access Expected(MethodDescriptor method) => (method.Service.Name, method.Name) switch
    {
        ("CA", "GetRootCACertificate") or ("NodeCA", "IssueNodeCertificate" or "NodeCertificateStatus") => Access.Anybody,
        ("CA", "GetUnlockKey") => Access.Managers,
        var (service, _) => ByService[service] is ["swarm-manager"] ? Access.Managers : Access.Nodes,
    };

    private static string Name(MethodDescriptor method) => $"/{method.Service.FullName}/{method.Name}";

    private static IEnumerable<MethodDescriptor> AllMethods() => typeof(CA).Assembly.GetTypes()
        .Where(t => t.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .Select(t => t.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
        .OfType<FileDescriptor>()
        .SelectMany(f => f.Services)
        .SelectMany(s => s.Methods);
}
