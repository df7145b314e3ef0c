using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Api;
using Skep.Api.Backups;
using Skep.Identity.Certificates;
using Skep.Identity.Files;
using Skep.Identity.Tokens;
using Skep.Manager.Recovery;
using Skep.Node.Managers;
using Skep.Raft;
using Skep.Store.Backups;
using Skep.Store.Durability;
using Skep.Store.Members;
using Skep.V1;
using RaftMember = Skep.Raft.RaftMember;

namespace Skep.Node.Recovery;

/// <summary>
/// <c>--restore</c>: founds a cluster of one manager from a backup. The file <c>restoring</c> is in the state directory from before the
/// first byte until after the last one: a restore that was cut short is no state directory, and can be repeated.
/// </summary>
internal sealed partial class Restore(NodeOptions options, StateDirectory state, TimeProvider time, ILogger<Restore> logger)
{
    private const string Mark = "restoring";
    private static readonly string[] Own = ["swarmd.lock", Mark];

    private string File => options.RestoreFrom!;

    private string MarkPath => Path.Combine(state.Root, Mark);

    /// <summary>Flags that do not go together.</summary>
    /// <exception cref="NodeStartException">They do not.</exception>
    public static void CheckFlags(NodeOptions options)
    {
        if (options.RestoreFrom is null)
        {
            string? lone = options.RestoreAsNew ? "--restore-as-new" : options.RestorePassphraseFile is not null ? "--restore-passphrase-file" : null;
            if (lone is not null)
            {
                throw new NodeStartException($"{lone} needs --restore: name the backup, for instance --restore cluster.skep");
            }
            return;
        }
        string? other = options.JoinAddress is not null ? "--join-addr" : options.ForceNewCluster ? "--force-new-cluster" : null;
        if (other is not null)
        {
            throw new NodeStartException($"--restore and {other} do not go together: a restore founds a cluster of this node alone; leave one of them out");
        }
    }

    /// <summary>Before anything is made or opened.</summary>
    /// <exception cref="NodeStartException">The directory is in use, or of a restore that was cut short.</exception>
    public void CheckDirectory()
    {
        bool isCutShort = System.IO.File.Exists(MarkPath);
        if (options.RestoreFrom is null)
        {
            if (isCutShort)
            {
                throw new NodeStartException($"a restore into {state.Root} was cut short, and what is there is no cluster; repeat it with --restore FILE, or empty the directory");
            }
            return;
        }
        if (!System.IO.File.Exists(File))
        {
            throw new NodeStartException($"--restore {File}: there is no such file; name one that swarmctl cluster backup wrote");
        }
        if (!isCutShort && Entries() is [var first, ..])
        {
            throw new NodeStartException(
                $"--restore {File}: {state.Root} is not empty ({Path.GetFileName(first)} is there); name an empty directory with --state-dir, or leave --restore out to go on with what is there");
        }
    }

    /// <summary>Makes the state directory from the backup.</summary>
    /// <returns>What its key file is locked with, as the backup says; null where it is not.</returns>
    /// <exception cref="NodeStartException">It cannot be restored, for a reason that its user can mend.</exception>
    public async Task<byte[]?> RunAsync(CancellationToken ct)
    {
        try
        {
            // Read to its end, and so checked to its end, before anything is made of it.
            (BackupHeader header, Snapshot content) = await Task.Run(Read, ct).ConfigureAwait(false);
            string nodeId = Ids.New();
            RestoredCluster restored = options.RestoreAsNew
                ? RestoredCluster.AsNew(content, header.Index, nodeId, time)
                : RestoredCluster.Same(content, header.Index, nodeId, time.GetUtcNow());
            byte[]? unlockKey = await WriteAsync(header, restored, ct).ConfigureAwait(false);
            Tell(header, restored);
            return unlockKey;
        }
        catch (BackupException e)
        {
            throw new NodeStartException($"--restore {File}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RaftLogException or CertificateException or InvalidOperationException)
        {
            throw new NodeStartException($"--restore {File}: {e.Message}; nothing was restored, and it can be repeated", e);
        }
    }

    private (BackupHeader Header, Snapshot Content) Read()
    {
        using FileStream file = System.IO.File.OpenRead(File);
        using BackupDecryptingStream reader = BackupDecryptingStream.Open(file, Secret);
        Snapshot content = StoreBackup.Read(reader);
        return (reader.Header, content);
    }

    private BackupSecret Secret(BackupHeader header)
    {
        if (header.KeyKind == BackupHeader.Types.KeyKind.UnlockKey)
        {
            return options.UnlockKey is null
                ? throw new BackupException("this backup was encrypted to the cluster's unlock key; give it with --unlock-key SWMKEY-1-…")
                : BackupSecret.UnlockKey(UnlockKey.Parse(options.UnlockKey));
        }
        return options.RestorePassphraseFile is null
            ? throw new BackupException("this backup was encrypted to a passphrase; give a file that holds it with --restore-passphrase-file")
            : BackupSecret.Passphrase(BackupSecret.ReadPassphraseFile(options.RestorePassphraseFile));
    }

    private async Task<byte[]?> WriteAsync(BackupHeader header, RestoredCluster restored, CancellationToken ct)
    {
        WholeFile.Write(MarkPath, System.Text.Encoding.UTF8.GetBytes(File + "\n"));
        foreach (string left in Entries())
        {
            if (Directory.Exists(left))
            {
                Directory.Delete(left, recursive: true);
            }
            else
            {
                System.IO.File.Delete(left);
            }
        }
        state.Create();
        (byte[] dataKey, byte[]? unlockKey) = RestoredManager.Write(state, restored, time);
        ulong member = MemberIds.OfFounder(restored.NodeId);
        MemberFile.Write(state, member);
        await RaftRecovery.SeedAsync(
            new RaftRecoveryOptions
            {
                Folder = DurableStore.FolderOf(state.Root),
                DataKey = dataKey,
                GroupId = DurableStore.GroupId,
                Member = new RaftMember(member, ManagerHost.AdvertisedAddress(options)),
            },
            Math.Max(1, header.Index),
            Math.Max(1, header.Term),
            (output, token) =>
            {
                StoreBackup.Write(restored.Content, output, token);
                return Task.CompletedTask;
            },
            ct).ConfigureAwait(false);
        WholeFile.SyncFolder(state.Root);
        System.IO.File.Delete(MarkPath);
        WholeFile.SyncFolder(state.Root);
        return unlockKey;
    }

    private string[] Entries() => Directory.Exists(state.Root)
        ? [.. Directory.EnumerateFileSystemEntries(state.Root).Where(static e => !Own.Contains(Path.GetFileName(e))).Order(StringComparer.Ordinal)]
        : [];

    private void Tell(BackupHeader header, RestoredCluster restored)
    {
        LogRestored(logger, restored.Cluster.Id, File, header.Index, header.CreatedAt?.ToDateTimeOffset() ?? default, restored.NodeId);
        foreach (Docker.Swarmkit.V1.Node node in restored.Dropped)
        {
            LogDropped(logger, node.Id, node.Description?.Hostname ?? "");
        }
        if (options.RestoreAsNew)
        {
            LogAsNew(logger, header.ClusterId, restored.TasksGivenUp);
        }
        else
        {
            LogSame(logger, restored.Kept, restored.TasksGivenUp);
        }
    }

    [LoggerMessage(EventId = 2311, Level = LogLevel.Warning, Message = "Cluster {ClusterId} is restored from {File}: its state at index {Index}, of {CreatedAt:u}. What was changed after that is lost. Node {NodeId} is its only manager. Take --restore out of its start")]
    private static partial void LogRestored(ILogger logger, string clusterId, string file, ulong index, DateTimeOffset createdAt, string nodeId);

    [LoggerMessage(EventId = 2312, Level = LogLevel.Warning, Message = "Node {NodeId} ({Hostname}) is no longer in the cluster: empty its state directory before it joins again")]
    private static partial void LogDropped(ILogger logger, string nodeId, string hostname);

    [LoggerMessage(EventId = 2313, Level = LogLevel.Warning, Message = "{Kept} workers come back by their certificates, if they find this manager: at an address that they know, or by --join-addr. {GivenUp} tasks of the old managers are given up and replaced. Never start an old manager with its old state directory again")]
    private static partial void LogSame(ILogger logger, int kept, int givenUp);

    [LoggerMessage(EventId = 2314, Level = LogLevel.Warning, Message = "It is a new cluster, with an id, a root CA and join tokens of its own; cluster {OldClusterId} may go on beside it. All nodes must join anew, and {GivenUp} tasks that ran are given up and begun again")]
    private static partial void LogAsNew(ILogger logger, string oldClusterId, int givenUp);
}
