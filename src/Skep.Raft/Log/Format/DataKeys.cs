using System.Security.Cryptography;

namespace Skep.Raft.Log;

/// <summary>The data key that new files are written under, and older ones whose files are still readable.</summary>
internal sealed class DataKeys
{
    private static readonly byte[] KeyIdInfo = "skep raft data key id"u8.ToArray();

    private readonly List<(byte[] Id, byte[] Key)> _keys = [];

    public DataKeys(ReadOnlyMemory<byte> current, IEnumerable<ReadOnlyMemory<byte>> older)
    {
        foreach (var key in older.Prepend(current))
        {
            if (key.Length != LogFormat.DataKeySizeBytes)
            {
                throw new ArgumentException($"a data key has {LogFormat.DataKeySizeBytes} bytes, this one has {key.Length}", nameof(current));
            }

            var bytes = key.ToArray();
            _keys.Add((HKDF.DeriveKey(HashAlgorithmName.SHA256, bytes, LogFormat.KeyIdSizeBytes, salt: [], KeyIdInfo), bytes));
        }
    }

    public byte[] CurrentId => _keys[0].Id;

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
}
