using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Skep.Sketches;

/// <summary>An unkeyed hash function that a compatible sketch uses.</summary>
internal interface IHashFamily
{
    static abstract ulong Hash(ReadOnlySpan<byte> key);

    /// <summary>The same as that of the key's eight bytes, little-endian.</summary>
    ulong Hash(ulong key);
}

/// <summary>Hashes keys of every kind: with the family's function in the compatible profile, with SipHash-1-3 in the keyed one.</summary>
internal readonly struct KeyHasher<TFamily>(SketchSeed? seed)
    where TFamily : struct, IHashFamily
{
    private const int StackBytes = 512;

    private readonly TFamily family = new();
    private readonly bool keyed = seed is not null;
    private readonly ulong k0 = seed?.K0 ?? 0;
    private readonly ulong k1 = seed?.K1 ?? 0;

    public SketchSeed? Seed { get; } = seed;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong key) => keyed ? HashKeyed(key) : family.Hash(key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ReadOnlySpan<byte> key) => keyed ? SipHash.Hash13(k0, k1, key) : TFamily.Hash(key);

    // Apart: within the callers' loops it would take the registers that the other hash needs.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong HashKeyed(ulong key) => SipHash.Hash13(k0, k1, key);

    /// <summary>The hash of the text's UTF-8 bytes.</summary>
    [SkipLocalsInit]
    public ulong Hash(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        int most = Encoding.UTF8.GetMaxByteCount(key.Length);
        byte[]? rented = most > StackBytes ? ArrayPool<byte>.Shared.Rent(most) : null;
        Span<byte> bytes = rented ?? stackalloc byte[StackBytes];
        ulong hash = Hash(bytes[..Encoding.UTF8.GetBytes(key, bytes)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
        return hash;
    }
}

/// <summary>Hashes many keys in one go.</summary>
internal static class ManyKeys
{
    /// <summary>Hashes numbers; there is room for as many hashes at least.</summary>
    public static void HashMany(this in KeyHasher<XxHash64> hasher, ReadOnlySpan<ulong> keys, Span<ulong> hashes)
    {
        if (hasher.Seed is null)
        {
            XxHash64.HashMany(keys, hashes);
            return;
        }
        for (int i = 0; i < keys.Length; i++)
        {
            hashes[i] = hasher.Hash(keys[i]);
        }
    }
}
