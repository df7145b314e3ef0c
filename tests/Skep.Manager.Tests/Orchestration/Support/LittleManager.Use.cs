using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Manager.Orchestration;

namespace Skep.Manager.Tests.Orchestration;

/// <summary>What a user does to the cluster, and what a user sees of it.</summary>
internal sealed partial class LittleManager
{
    public const string Web = "web";

    /// <summary>Creates a service; three replicas that are restarted after a second where nothing else is said.</summary>
    public void Create(Action<ServiceSpec>? change = null, string id = Web)
    {
        var spec = new ServiceSpec
        {
            Annotations = new() { Name = id },
            Task = new() { Container = new() { Image = "redis:1" }, Restart = new() { Condition = RestartPolicy.Types.RestartCondition.Any, Delay = Seconds(1) } },
            Replicated = new() { Replicas = 3 },
        };
        change?.Invoke(spec);
        Write(tx => tx.Create(new Service { Id = id, Spec = spec, SpecVersion = new() { Index = Store.Version } }));
    }

    /// <summary>Updates a service as the control API does.</summary>
    public void Update(Action<ServiceSpec> change, string id = Web) => Write(tx =>
    {
        Service service = tx.Get<Service>(id)!.Clone();
        service.PreviousSpec = service.Spec.Clone();
        service.PreviousSpecVersion = service.SpecVersion;
        change(service.Spec);
        service.SpecVersion = new() { Index = service.Meta.Version.Index };
        service.UpdateStatus = null;
        StartJobAgain(service);
        tx.Update(service);
    });

    /// <summary>Rolls a service back as the control API does when it is asked to.</summary>
    public void RollBack(string id = Web) => Write(tx =>
    {
        Service service = tx.Get<Service>(id)!.Clone();
        (service.Spec, service.PreviousSpec) = (service.PreviousSpec, service.Spec);
        (service.SpecVersion, service.PreviousSpecVersion) = (service.PreviousSpecVersion, service.SpecVersion);
        service.UpdateStatus = new() { State = UpdateStatus.Types.UpdateState.RollbackStarted, Message = "manually requested rollback", StartedAt = Timestamp.FromDateTimeOffset(Now) };
        StartJobAgain(service);
        tx.Update(service);
    });

    public void Remove(string id = Web) => Write(tx => tx.Remove<Service>(id));

    public void Change(string nodeId, Action<Node> change) => Write(tx =>
    {
        Node node = tx.Get<Node>(nodeId)!.Clone();
        change(node);
        tx.Update(node);
    });

    public void Set(string nodeId, NodeSpec.Types.Availability availability) => Change(nodeId, n => n.Spec.Availability = availability);

    public void Set(string nodeId, NodeStatus.Types.State state) => Change(nodeId, n => n.Status.State = state);

    public Service Service(string id = Web) => Store.Read(v => v.Get<Service>(id))!;

    /// <summary>Every task of a service, oldest first.</summary>
    public List<SwarmTask> Tasks(string id = Web) =>
        Store.Read(v => v.TasksByService(id).OrderBy(static t => t.CreatedAt()).ThenBy(static t => t.Slot).ThenBy(static t => t.Id, StringComparer.Ordinal).ToList());

    /// <summary>The tasks wanted to run, by slot and node.</summary>
    public List<SwarmTask> Wanted(string id = Web) =>
        [.. Tasks(id).Where(static t => t.IsWanted()).OrderBy(static t => t.Slot).ThenBy(static t => t.NodeId, StringComparer.Ordinal)];

    public List<SwarmTask> Running(string id = Web) => [.. Wanted(id).Where(static t => t.Observed() == TaskState.Running)];

    public void RunUntilRunning(int count, string id = Web) =>
        RunUntil(() => Running(id).Count == count && Wanted(id).Count == count, $"{count} tasks of {id} run");

    /// <summary>An image, as the label of a version.</summary>
    public static Action<ServiceSpec> Image(string image) => s => s.Task.Container.Image = image;

    private static void StartJobAgain(Service service)
    {
        if (service.Spec.ModeCase is ServiceSpec.ModeOneofCase.ReplicatedJob or ServiceSpec.ModeOneofCase.GlobalJob)
        {
            service.JobStatus = new() { JobIteration = new() { Index = NewTask.JobIterationOf(service) + 1 } };
        }
    }

    public static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));
}
