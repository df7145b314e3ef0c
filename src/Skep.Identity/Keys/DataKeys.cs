using System.Security.Cryptography;
using Docker.Swarmkit.V1;
using Google.Protobuf;

namespace Skep.Identity.Keys;

/// <summary>
/// The keys of a manager's log, as they are kept in the headers of the node's key (source: moby/swarmkit manager/deks.go).
/// </summary>
/// <param name="Current">What the log is encrypted with, 32 bytes; null on a node that has no log.</param>
/// <param name="Pending">What it is to be encrypted with next; null when no change is under way.</param>
/// <param name="NeedsRotation">Whether a change must follow: the current one has lain on disk unlocked.</param>
public sealed record DataKeys(byte[]? Current, byte[]? Pending = null, bool NeedsRotation = false)
{
    /// <summary>Size of a data key.</summary>
    public const int SizeBytes = 32;

    /// <summary>A node that has no log.</summary>
    public static readonly DataKeys None = new(Current: null);

    private const string CurrentHeader = "raft-dek";
    private const string PendingHeader = "raft-dek-pending";
    private const string NeedsRotationHeader = "raft-dek-needs-rotation";

    /// <summary>A new random key for a new log.</summary>
    public static DataKeys Generate() => new(RandomNumberGenerator.GetBytes(SizeBytes));

    /// <summary>What the log writes new files under; null on a node that has no log.</summary>
    public byte[]? Writing => Pending ?? Current;

    /// <summary>What it may have written older files under.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Older => Pending is null ? [] : [Current!];

    /// <summary>A change is begun, where one must follow and none is under way: to be kept before the pending key is used.</summary>
    public DataKeys BeginChange() =>
        NeedsRotation && Pending is null && Current is not null ? new(Current, RandomNumberGenerator.GetBytes(SizeBytes)) : this;

    /// <summary>The change is done: nothing on disk needs the current key any more.</summary>
    public DataKeys EndChange() => Pending is null ? this : new(Pending, Pending: null, NeedsRotation);

    /// <summary>Shows no key.</summary>
    public override string ToString() =>
        $"current {(Current is null ? "none" : "set")}, pending {(Pending is null ? "none" : "set")}, needs rotation {NeedsRotation}";

    internal static DataKeys FromHeaders(IReadOnlyDictionary<string, string> headers, KeyEncryptionKey kek)
    {
        var keys = new DataKeys(
            Unwrap(headers.GetValueOrDefault(CurrentHeader), kek),
            Unwrap(headers.GetValueOrDefault(PendingHeader), kek),
            headers.ContainsKey(NeedsRotationHeader));
        return keys is { Current: null, Pending: not null }
            ? throw new InvalidDataException("there is a pending data key, but no current one")
            : keys;
    }

    internal void AddTo(IDictionary<string, string> headers, KeyEncryptionKey kek, DateTimeOffset now)
    {
        if (Current is not null)
        {
            headers[CurrentHeader] = Wrap(Current, kek, now);
        }

        if (Pending is not null)
        {
            headers[PendingHeader] = Wrap(Pending, kek, now);
        }

        if (NeedsRotation)
        {
            headers[NeedsRotationHeader] = "true";
        }
    }

    private static string Wrap(byte[] key, KeyEncryptionKey kek, DateTimeOffset now)
    {
        var record = kek.Key is null
            ? new MaybeEncryptedRecord { Data = ByteString.CopyFrom(key) }
            : new MaybeEncryptedRecord
            {
                Algorithm = MaybeEncryptedRecord.Types.Algorithm.FernetAes128Cbc,
                Data = ByteString.CopyFrom(Fernet.Encrypt(key, kek.Key, now)),
            };
        return Convert.ToBase64String(record.ToByteArray());
    }

    private static byte[]? Unwrap(string? header, KeyEncryptionKey kek)
    {
        if (header is null)
        {
            return null;
        }

        var record = MaybeEncryptedRecord.Parser.ParseFrom(Convert.FromBase64String(header));
        return (record.Algorithm, kek.Key) switch
        {
            (MaybeEncryptedRecord.Types.Algorithm.None, _) => record.Data.ToByteArray(),
            (_, null) => throw new KeyLockedException(),
            (MaybeEncryptedRecord.Types.Algorithm.FernetAes128Cbc, { } key) => OpenWith(record.Data.Span, key),
            _ => throw new InvalidDataException(
                $"a data key is wrapped with {record.Algorithm}, which is not supported; expected Fernet (algorithm 2)"),
        };
    }

    private static byte[] OpenWith(ReadOnlySpan<byte> wrapped, byte[] key)
    {
        try
        {
            return Fernet.Decrypt(wrapped, key);
        }
        catch (CryptographicException e)
        {
            throw new KeyLockedException(e);
        }
    }
}
