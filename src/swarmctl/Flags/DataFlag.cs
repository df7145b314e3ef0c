using System.CommandLine;
using Swarmctl.Connection;

namespace Swarmctl.Flags;

/// <summary>What a secret or a config holds: a file's bytes, or else standard input's.</summary>
internal static class DataFlag
{
    // Both limits that the manager has are below this; more is not worth reading.
    private const int MaxBytes = 2 * 1024 * 1024;

    public static async Task<byte[]> ReadAsync(Session s, Option<string> file, CancellationToken ct)
    {
        if (!s.Has(file))
        {
            return await s.Around.ReadInputAsync(from => ReadAsync(from, ct)).ConfigureAwait(false);
        }
        string path = s.Flags.GetValue(file)!;
        try
        {
            await using FileStream from = File.OpenRead(path);
            return await ReadAsync(from, ct).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new UserException($"invalid argument \"{path}\" for {file.Name}: {e.Message}");
        }
    }

    private static async Task<byte[]> ReadAsync(Stream from, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (int n; (n = await from.ReadAsync(buffer, ct).ConfigureAwait(false)) > 0;)
        {
            bytes.Write(buffer, 0, n);
            if (bytes.Length > MaxBytes)
            {
                throw new UserException($"the data is larger than {MaxBytes} bytes, more than any secret or config may have");
            }
        }
        return bytes.ToArray();
    }
}
