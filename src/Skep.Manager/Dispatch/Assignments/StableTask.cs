namespace Skep.Manager.Dispatch.Assignments;

/// <summary>Whether two states of a task are the same to its agent, who made the status itself.</summary>
internal static class StableTask
{
    public static bool SameToAgent(SwarmTask a, SwarmTask b) =>
        a.DesiredState == b.DesiredState
        && a.NodeId == b.NodeId
        && a.ServiceId == b.ServiceId
        && a.Slot == b.Slot
        && Equals(a.Spec, b.Spec)
        && Equals(a.SpecVersion, b.SpecVersion)
        && Equals(a.Annotations, b.Annotations)
        && Equals(a.ServiceAnnotations, b.ServiceAnnotations)
        && a.Networks.Equals(b.Networks)
        && Equals(a.Endpoint, b.Endpoint)
        && Equals(a.LogDriver, b.LogDriver)
        && a.AssignedGenericResources.Equals(b.AssignedGenericResources)
        && Equals(a.JobIteration, b.JobIteration)
        && a.Volumes.Equals(b.Volumes);
}
