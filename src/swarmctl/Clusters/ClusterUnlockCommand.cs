using System.CommandLine;
using System.Text;
using Grpc.Core;
using Skep.V1;
using Swarmctl.Connection;
using Swarmctl.Flags;

namespace Swarmctl.Clusters;

/// <summary><c>cluster unlock</c>: gives a locked manager its key, which is never an argument, since arguments are for all to see.</summary>
internal static class ClusterUnlockCommand
{
    private const int MaxBytes = 4096;
    private static readonly Option<string> KeyFile = CommonFlags.Text("--key-file", "Read the key from this file (else it is asked for on the terminal, or read from STDIN where that is none)");

    public static Command Make() => Verb.Make("unlock", "Unlock a locked manager", RunAsync, KeyFile);

    private static async Task RunAsync(Session s, CancellationToken ct)
    {
        string key = await KeyAsync(s, ct).ConfigureAwait(false);
        if (key.Length == 0)
        {
            throw new UserException("no key was given: expected SWMKEY-1-…, which another manager's `swarmctl cluster unlock-key default` shows");
        }
        try
        {
            await new Unlocking.UnlockingClient(s.Connection.Invoker).UnlockAsync(new() { Key = key }, cancellationToken: ct).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
        {
            throw new UserException("this manager is not locked");
        }
        s.Output.WriteLine("The manager is unlocked and starts");
    }

    private static async Task<string> KeyAsync(Session s, CancellationToken ct)
    {
        if (!s.Has(KeyFile))
        {
            return (s.Around.AskSecret("Unlock key: ") ?? Encoding.UTF8.GetString(await s.Around.ReadInputAsync(from => ReadAsync(from, ct)).ConfigureAwait(false))).Trim();
        }
        string path = s.Flags.GetValue(KeyFile)!;
        try
        {
            await using FileStream from = File.OpenRead(path);
            return Encoding.UTF8.GetString(await ReadAsync(from, ct).ConfigureAwait(false)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"invalid argument \"{path}\" for {KeyFile.Name}: {e.Message}");
        }
    }

    private static async Task<byte[]> ReadAsync(Stream from, CancellationToken ct)
    {
        byte[] bytes = new byte[MaxBytes + 1];
        int size = await from.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct).ConfigureAwait(false);
        return size <= MaxBytes ? bytes[..size] : throw new UserException($"this is no unlock key: it is larger than {MaxBytes} bytes");
    }
}
