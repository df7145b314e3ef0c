using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Identity.Certificates;
using Skep.Identity.Keys;
using Skep.Manager.Loops;
using Skep.Store;

namespace Skep.Manager.Certificates;

/// <summary>
/// Locks and unlocks this manager's key file as the cluster object says. It runs on every manager, since each has a key
/// file of its own.
/// </summary>
/// <param name="store">Where the cluster object is.</param>
/// <param name="tryCatchUp">Brings the store to what is committed; false where no leader answers.</param>
/// <param name="keys">The file.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of each change.</param>
public sealed class ManagerLock(ClusterStore store, Func<CancellationToken, Task<bool>> tryCatchUp, NodeKeyFile keys, TimeProvider time, ILogger<ManagerLock> logger)
    : ManagerLoop(time, logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>The key a manager's file is to be locked with under this cluster object.</summary>
    public static KeyEncryptionKey KeyOf(Cluster cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        var key = cluster.Spec?.EncryptionConfig?.AutoLockManagers == true
            ? cluster.UnlockKeys.FirstOrDefault(k => k.Subsystem == RoleNames.Manager)?.Key.ToByteArray()
            : null;
        return new KeyEncryptionKey(key, cluster.Meta?.Version?.Index ?? 0);
    }

    /// <inheritdoc />
    protected override async Task RunAsync(CancellationToken ct)
    {
        // A store that is still behind shows unlock keys of the past. A file that is locked with one of them when the machine stops is
        // opened by a key that nobody may have kept.
        while (!await tryCatchUp(ct))
        {
            await Task.Delay(Pause, Time, ct);
        }

        var (cluster, subscription) = store.ReadAndSubscribe(ClusterObject.Find);
        using (subscription)
        {
            Follow(cluster);
            await foreach (var commit in subscription.Commits.ReadAllAsync(ct))
            {
                Follow(commit.Changes.Where(c => c.Kind != StoreChangeKind.Remove).Select(c => c.Object).OfType<Cluster>().LastOrDefault());
            }
        }

        throw new StoreLaggedException();
    }

    private void Follow(Cluster? cluster)
    {
        if (cluster is not null && keys.Exists && keys.Rewrap(KeyOf(cluster)))
        {
            CertificateLog.KeyFileLocked(Logger, keys.KeyEncryptionKey.Locks ? "locked" : "unlocked");
        }
    }
}
