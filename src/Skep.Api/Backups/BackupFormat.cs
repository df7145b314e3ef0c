using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Skep.V1;

namespace Skep.Api.Backups;

/// <summary>
/// A backup's file, version 1, all numbers little-endian: <c>SKEPBACK</c>, version (4 bytes), length of the header (4), the header
/// (<see cref="BackupHeader"/>), SHA-256 of all before it, HMAC-SHA-256 of the same, then chunks. A chunk is its length (31 bits) with
/// the highest bit set in the last one (4 bytes), the ciphertext and its tag: AES-256-GCM, with the chunk's number and whether it is the
/// last as nonce, and the header's hash and the chunk's first 4 bytes as associated data. So no chunk can be another's, be left out, or
/// follow the last one.
/// </summary>
public static class BackupFormat
{
    /// <summary>The version that is written, and the newest that is read.</summary>
    public const uint Version = 1;

    internal const int ChunkSizeBytes = 64 * 1024;
    internal const int TagSizeBytes = 16;
    internal const int PrefixSizeBytes = 16;
    internal const uint LastMark = 0x8000_0000;
    private const int MaxHeaderSizeBytes = 64 * 1024;

    private static ReadOnlySpan<byte> Magic => "SKEPBACK"u8;

    /// <summary>What a file says of itself. Without the key that shows what was damaged by accident, not what was forged.</summary>
    /// <param name="file">At its beginning; is read up to the first chunk.</param>
    /// <exception cref="BackupException">It is no backup, of a newer version, or damaged.</exception>
    public static BackupHeader ReadHeader(Stream file) => ReadHead(file).Header;

    /// <summary>Header, its bytes and the two checks behind them.</summary>
    internal static byte[] WriteHead(BackupHeader header, BackupKeys keys)
    {
        byte[] body = header.ToByteArray();
        var head = new byte[PrefixSizeBytes + body.Length];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(12), body.Length);
        body.CopyTo(head, PrefixSizeBytes);
        return [.. head, .. SHA256.HashData(head), .. keys.Sign(head)];
    }

    /// <exception cref="BackupException">It is no backup, of a newer version, or damaged.</exception>
    internal static BackupHead ReadHead(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        Span<byte> prefix = stackalloc byte[PrefixSizeBytes];
        if (file.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length || !prefix[..8].SequenceEqual(Magic))
        {
            throw new BackupException("this is no backup of a Skep cluster; name a file that swarmctl cluster backup wrote");
        }
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
        if (version != Version)
        {
            throw new BackupException($"this backup has format version {version} and this program reads version {Version}; use the Skep that wrote it, or a newer one");
        }
        int length = BinaryPrimitives.ReadInt32LittleEndian(prefix[12..]);
        if (length is < 0 or > MaxHeaderSizeBytes)
        {
            throw Damaged("its header cannot be right");
        }
        var rest = new byte[length + (2 * SHA256.HashSizeInBytes)];
        if (file.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length)
        {
            throw Damaged("it ends within its header");
        }
        byte[] head = [.. prefix, .. rest.AsSpan(0, length)];
        byte[] hash = SHA256.HashData(head);
        if (!hash.AsSpan().SequenceEqual(rest.AsSpan(length, SHA256.HashSizeInBytes)))
        {
            throw Damaged("its header is not what was written");
        }
        return new BackupHead(Parse(rest.AsSpan(0, length)), head, hash, rest[(length + SHA256.HashSizeInBytes)..]);
    }

    internal static void Nonce(Span<byte> nonce, ulong number, bool isLast)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce, number);
        nonce[8] = isLast ? (byte)1 : (byte)0;
    }

    internal static BackupException Damaged(string how) => new($"this backup is damaged: {how}; take another copy of it, or an older backup");

    private static BackupHeader Parse(ReadOnlySpan<byte> body)
    {
        BackupHeader header;
        try
        {
            header = BackupHeader.Parser.ParseFrom(body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new BackupException(Damaged("its header cannot be read").Message, e);
        }
        bool isKnown = header.Salt.Length == BackupKeys.SaltSizeBytes
            && (header.KeyKind == BackupHeader.Types.KeyKind.UnlockKey
                || (header.KeyKind == BackupHeader.Types.KeyKind.Passphrase && header.KdfIterations is > 0 and <= BackupKeys.MaxIterations));
        return isKnown ? header : throw Damaged("its header names a key that there is none of");
    }
}

/// <summary>The beginning of a file.</summary>
/// <param name="Header">What it says.</param>
/// <param name="Bytes">What is signed.</param>
/// <param name="Hash">What every chunk is bound to.</param>
/// <param name="Signature">As the file has it.</param>
internal sealed record BackupHead(BackupHeader Header, byte[] Bytes, byte[] Hash, byte[] Signature);
