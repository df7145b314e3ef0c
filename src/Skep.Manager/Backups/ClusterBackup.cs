using System.IO.Pipelines;
using System.Reflection;
using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api.Backups;
using Skep.Store;
using Skep.Store.Backups;
using Skep.V1;

namespace Skep.Manager.Backups;

/// <summary>The cluster's state as an encrypted file, made as fast as it is taken: what has not been sent yet is some chunks, never more.</summary>
/// <param name="store">What is copied.</param>
/// <param name="nodeId">The manager that copies.</param>
/// <param name="time">Tells when.</param>
internal sealed class ClusterBackup(ClusterStore store, string nodeId, TimeProvider time)
{
    private const int MaxUnsentBytes = 512 * 1024;

    private static string Version =>
        typeof(ClusterBackup).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>Writes the file.</summary>
    /// <param name="clusterId">Whose it is.</param>
    /// <param name="term">The group's term.</param>
    /// <param name="secret">What it is encrypted to.</param>
    /// <param name="send">Takes a piece; its bytes are not kept.</param>
    /// <param name="ct">Stops.</param>
    public async Task WriteAsync(string clusterId, ulong term, BackupSecret secret, Func<ReadOnlyMemory<byte>, Task> send, CancellationToken ct)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: MaxUnsentBytes, resumeWriterThreshold: MaxUnsentBytes / 2, useSynchronizationContext: false));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task encrypting = Task.Run(() => Encrypt(clusterId, term, secret, pipe.Writer, stop.Token), CancellationToken.None);
        try
        {
            while (true)
            {
                ReadResult read = await pipe.Reader.ReadAsync(ct).ConfigureAwait(false);
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                {
                    await send(piece).ConfigureAwait(false);
                }
                pipe.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
            await pipe.Reader.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The writer, which may wait for room, is told.
            await stop.CancelAsync().ConfigureAwait(false);
            await pipe.Reader.CompleteAsync(e).ConfigureAwait(false);
            await encrypting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        await encrypting.ConfigureAwait(false);
    }

    private void Encrypt(string clusterId, ulong term, BackupSecret secret, PipeWriter output, CancellationToken ct)
    {
        try
        {
            (ulong version, Snapshot content) = StoreBackup.Capture(store);
            using Stream stream = output.AsStream(leaveOpen: true);
            using BackupEncryptingStream file = BackupEncryptingStream.Create(
                stream,
                new BackupHeader
                {
                    ClusterId = clusterId,
                    Index = version,
                    Term = term,
                    CreatedAt = Timestamp.FromDateTimeOffset(time.GetUtcNow()),
                    SkepVersion = Version,
                    NodeId = nodeId,
                },
                secret);
            StoreBackup.Write(content, file, ct);
            file.Complete();
            output.Complete();
        }
        catch (Exception e)
        {
            output.Complete(e);
        }
    }
}
