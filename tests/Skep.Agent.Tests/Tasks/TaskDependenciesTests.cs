using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Agent.Executors;
using Skep.Agent.Tasks;

namespace Skep.Agent.Tests.Tasks;

/// <summary>Secrets are kept in memory only, so a restarted agent has its tasks before it has their secrets.</summary>
public sealed class TaskDependenciesTests
{
    private static readonly SecretReference Reference = new() { SecretId = "s1", SecretName = "key" };

    private readonly AssignedObjects _objects = new();
    private readonly TaskDependencies _dependencies;

    public TaskDependenciesTests() => _dependencies = new TaskDependencies(
        _objects, new SwarmTask { Id = "t", Spec = new() { Container = new() { Secrets = { Reference } } } }, () => null);

    [Fact]
    public void A_secret_that_no_manager_had_the_chance_to_send_yet_is_waited_for()
    {
        Assert.Throws<TaskTemporaryException>(() => _dependencies.GetSecret(Reference));
        _objects.Apply(Complete(new Secret { Id = "s1", Spec = new() { Data = ByteString.CopyFromUtf8("open") } }));
        Assert.Equal("open"u8.ToArray(), _dependencies.GetSecret(Reference).ToArray());
    }

    [Fact]
    public void A_secret_that_the_manager_did_not_send_rejects_the_task()
    {
        _objects.Apply(Complete());
        Assert.Equal(
            "secret key (s1) was not given to this node", Assert.Throws<TaskRejectedException>(() => _dependencies.GetSecret(Reference)).Message);
    }

    [Fact]
    public void A_secret_that_is_not_the_tasks_own_is_never_given()
    {
        Assert.Throws<TaskRejectedException>(() => _dependencies.GetSecret(new SecretReference { SecretId = "s2", SecretName = "other" }));
    }

    private static AssignmentsMessage Complete(params Secret[] secrets)
    {
        var message = new AssignmentsMessage { Type = AssignmentsMessage.Types.Type.Complete };
        foreach (var secret in secrets)
        {
            message.Changes.Add(new AssignmentChange { Assignment = new Assignment { Secret = secret }, Action = AssignmentChange.Types.AssignmentAction.Update });
        }

        return message;
    }
}
