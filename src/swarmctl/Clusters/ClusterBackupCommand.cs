using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using Skep.Api.Backups;
using Skep.V1;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;

namespace Swarmctl.Clusters;

/// <summary><c>cluster backup</c>: the cluster's whole state in an encrypted file, and what such a file says of itself.</summary>
internal static class ClusterBackupCommand
{
    private static readonly Argument<string[]> Words = Verb.Words("file");
    private static readonly Option<string> PassphraseFile = CommonFlags.Text("--passphrase-file", "Encrypt to the passphrase in this file (asked for on the terminal where neither this nor --with-unlock-key is given)");
    private static readonly Option<bool> WithUnlockKey = new("--with-unlock-key") { Description = "Encrypt to the cluster's unlock key (managers must be autolocked)" };
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Replace the file where there is one" };
    private static readonly Option<bool> Inspect = new("--inspect") { Description = "Show what a backup says of itself, for which no key is needed" };

    public static Command Make() => Verb.Make(
        "backup", "Save the cluster's whole state in an encrypted file", RunAsync, Words, Force, Inspect, PassphraseFile, WithUnlockKey);

    private static Task RunAsync(Session s, CancellationToken ct)
    {
        string path = s.One(Words, "file missing: name the file that the backup is to be, for instance swarmctl cluster backup cluster.skep");
        if (s.Flags.GetValue(Inspect))
        {
            Show(s, path, ReadHeader(path));
            return Task.CompletedTask;
        }
        if (s.Has(PassphraseFile) && s.Flags.GetValue(WithUnlockKey))
        {
            throw new UserException("a backup is encrypted to a passphrase or to the unlock key: give --passphrase-file or --with-unlock-key");
        }
        BackupFile.CheckFree(path, s.Flags.GetValue(Force));
        return SaveAsync(s, path, ct);
    }

    private static async Task SaveAsync(Session s, string path, CancellationToken ct)
    {
        var request = s.Flags.GetValue(WithUnlockKey) ? new BackupRequest { UnlockKey = true } : new BackupRequest { Passphrase = Passphrase(s) };
        using AsyncServerStreamingCall<BackupPiece> call = new Managers.ManagersClient(s.Connection.Invoker).Backup(request, cancellationToken: ct);
        long size = await BackupFile.WriteAsync(
            path,
            s.Flags.GetValue(Force),
            async file =>
            {
                while (await call.ResponseStream.MoveNext(ct).ConfigureAwait(false))
                {
                    await file.WriteAsync(call.ResponseStream.Current.Data.Memory, ct).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        BackupHeader header = ReadHeader(path);
        if (s.Json)
        {
            s.WriteJson(header);
            return;
        }
        s.Output.WriteLine($"{path}: cluster {header.ClusterId} at index {header.Index}, {size} bytes, encrypted to {KeyOf(header)}");
    }

    private static string Passphrase(Session s)
    {
        try
        {
            string passphrase = s.Has(PassphraseFile) ? BackupSecret.ReadPassphraseFile(s.Flags.GetValue(PassphraseFile)!) : s.Around.AskPassphraseTwice();
            _ = BackupSecret.Passphrase(passphrase);
            return passphrase;
        }
        catch (BackupException e)
        {
            throw new UserException(e.Message);
        }
    }

    private static BackupHeader ReadHeader(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return BackupFormat.ReadHeader(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path} cannot be read: {e.Message}");
        }
        catch (BackupException e)
        {
            throw new UserException($"{path}: {e.Message}");
        }
    }

    private static void Show(Session s, string path, BackupHeader header)
    {
        if (s.Json)
        {
            s.WriteJson(header);
            return;
        }
        s.Output.Write(TabText.ForObject()
            .Line($"File\t: {path}")
            .Line($"Cluster\t: {header.ClusterId}")
            .Line($"Index\t: {header.Index}")
            .Line($"Taken\t: {header.CreatedAt?.ToDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)} ({HumanTime.Ago(header.CreatedAt, s.Now)})")
            .Line($"By manager\t: {header.NodeId}")
            .Line($"Skep version\t: {header.SkepVersion}")
            .Line($"Encrypted to\t: {KeyOf(header)}"));
    }

    private static string KeyOf(BackupHeader header) =>
        header.KeyKind == BackupHeader.Types.KeyKind.UnlockKey ? "the cluster's unlock key" : "a passphrase";
}
