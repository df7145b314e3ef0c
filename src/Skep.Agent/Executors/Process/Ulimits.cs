using Docker.Swarmkit.V1;
using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>Linux's resource limits by the names of `ulimit` settings.</summary>
internal static class Ulimits
{
    private static readonly string[] Names =
    [
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending", "msgqueue",
        "nice", "rtprio", "rttime",
    ];

    /// <exception cref="TaskRejectedException">One is no limit of Linux's, or its soft part is above its hard one.</exception>
    public static IReadOnlyList<ResourceLimit> Of(IEnumerable<ContainerSpec.Types.Ulimit> ulimits) =>
        [.. ulimits.Select(Of)];

    private static ResourceLimit Of(ContainerSpec.Types.Ulimit ulimit)
    {
        var resource = Array.IndexOf(Names, ulimit.Name.ToLowerInvariant());
        if (resource < 0)
        {
            throw ProcessRequest.Rejected("ulimits", $"'{ulimit.Name}' is no limit; expected one of {string.Join(", ", Names)}");
        }
        if (ulimit.Soft < -1 || ulimit.Hard < -1)
        {
            throw ProcessRequest.Rejected("ulimits", $"{ulimit.Name}: expected -1 for no bound, or 0 and more");
        }
        // -1 becomes the highest number, which is "no bound" to the kernel as well.
        var limit = new ResourceLimit(resource, unchecked((ulong)ulimit.Soft), unchecked((ulong)ulimit.Hard));
        return limit.Soft <= limit.Hard
            ? limit
            : throw ProcessRequest.Rejected("ulimits", $"{ulimit.Name}: soft {ulimit.Soft} is above hard {ulimit.Hard}");
    }
}
