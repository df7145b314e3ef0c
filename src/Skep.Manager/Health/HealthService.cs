using System.Collections.Concurrent;
using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Skep.Manager.Health;

/// <summary>Says which parts of this manager serve; managers that join and tools ask.</summary>
public sealed class HealthService : Docker.Swarmkit.V1.Health.HealthBase
{
    /// <summary>The part that takes part in consensus, on the remote address.</summary>
    public const string Raft = "Raft";

    /// <summary>The part that serves the control socket.</summary>
    public const string ControlApi = "ControlAPI";

    private readonly ConcurrentDictionary<string, HealthCheckResponse.Types.ServingStatus> parts = new(StringComparer.Ordinal);

    /// <summary>Notes whether a part serves.</summary>
    public void Set(string part, bool serving) => parts[part] =
        serving ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing;

    /// <inheritdoc/>
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        if (request.Service.Length == 0)
        {
            return Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving });
        }
        return parts.TryGetValue(request.Service, out HealthCheckResponse.Types.ServingStatus status)
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(StatusCode.NotFound, "unknown service"));
    }
}
