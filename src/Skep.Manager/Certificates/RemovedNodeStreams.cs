using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Identity.Authorization;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Certificates;

/// <summary>
/// Closes the open streams of nodes that are removed. Unlike other loops it runs on every manager, for a removed node may
/// hold a stream with any of them.
/// </summary>
public sealed class RemovedNodeStreams(
    ClusterStore store, ActiveStreams streams, TimeProvider time, ILogger<RemovedNodeStreams> logger) : ManagerLoop(time, logger)
{
    /// <inheritdoc />
    protected override async Task RunAsync(CancellationToken ct)
    {
        var (cluster, subscription) = store.ReadAndSubscribe(ClusterObject.Find);
        using (subscription)
        {
            Close(cluster);
            await foreach (var commit in subscription.Commits.ReadAllAsync(ct))
            {
                foreach (var changed in commit.Changes.Where(c => c.Kind != StoreChangeKind.Remove).Select(c => c.Object).OfType<Cluster>())
                {
                    Close(changed);
                }
            }
        }

        throw new StoreLaggedException();
    }

    private void Close(Cluster? cluster)
    {
        if (cluster is { BlacklistedCertificates.Count: > 0 }
            && streams.CloseRemoved(cluster.BlacklistedCertificates.ContainsKey) is > 0 and var closed)
        {
            CertificateLog.StreamsClosed(Logger, closed);
        }
    }
}
