using System.Security.Cryptography;

namespace Skep.Raft.Log;

/// <summary>
/// The data key that new files are written under, and older ones whose files are still readable. It can change while the log is
/// open: files that were opened before go on with the key they have.
/// </summary>
internal sealed class DataKeys
{
    private static readonly byte[] KeyIdInfo = "skep raft data key id"u8.ToArray();

    // The current one first; exchanged whole, since snapshots are begun beside the log's own thread.
    private volatile (byte[] Id, byte[] Key)[] _keys;

    public DataKeys(ReadOnlyMemory<byte> current, IEnumerable<ReadOnlyMemory<byte>> older) => _keys = [.. older.Prepend(current).Select(WithId)];

    public byte[] CurrentId => _keys[0].Id;

    /// <summary>Writes new files under this key from now on; the others still read theirs.</summary>
    public void Use(ReadOnlyMemory<byte> key)
    {
        var current = WithId(key);
        _keys = [current, .. _keys.Where(k => !k.Id.AsSpan().SequenceEqual(current.Id))];
    }

    /// <summary>Forgets all but the current key.</summary>
    public void ForgetOlder() => _keys = [_keys[0]];

    /// <summary>The key with this id, or null when it was not handed in.</summary>
    public byte[]? Find(ReadOnlySpan<byte> id)
    {
        foreach (var (knownId, key) in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(knownId, id))
            {
                return key;
            }
        }

        return null;
    }

    private static (byte[] Id, byte[] Key) WithId(ReadOnlyMemory<byte> key)
    {
        if (key.Length != LogFormat.DataKeySizeBytes)
        {
            throw new ArgumentException($"a data key has {LogFormat.DataKeySizeBytes} bytes, this one has {key.Length}", nameof(key));
        }

        var bytes = key.ToArray();
        return (HKDF.DeriveKey(HashAlgorithmName.SHA256, bytes, LogFormat.KeyIdSizeBytes, salt: [], KeyIdInfo), bytes);
    }
}
