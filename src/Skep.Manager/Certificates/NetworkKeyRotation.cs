using Microsoft.Extensions.Logging;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Certificates;

/// <summary>Changes the network keys every twelve hours of leadership, as SwarmKit does.</summary>
public sealed class NetworkKeyRotation(ClusterStore store, TimeProvider time, ILogger<NetworkKeyRotation> logger)
    : ManagerLoop(time, logger)
{
    /// <inheritdoc />
    protected override async Task RunAsync(CancellationToken ct)
    {
        await RotateAsync(onlyIfNone: true, ct);
        using var timer = new PeriodicTimer(NetworkKeys.RotationInterval, Time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            await RotateAsync(onlyIfNone: false, ct);
        }
    }

    private async Task RotateAsync(bool onlyIfNone, CancellationToken ct)
    {
        ulong? lamportTime = null;
        await store.UpdateAsync(
            tx =>
            {
                if (ClusterObject.Find(tx)?.Clone() is { } cluster && !(onlyIfNone && cluster.NetworkBootstrapKeys.Count > 0))
                {
                    NetworkKeys.Rotate(cluster);
                    tx.Update(cluster);
                    lamportTime = cluster.EncryptionKeyLamportClock;
                }
            },
            ct);
        if (lamportTime is { } newest)
        {
            CertificateLog.NetworkKeysRotated(Logger, newest);
        }
    }
}
