using System.Buffers.Binary;
using System.Security.Cryptography;
using Skep.V1;

namespace Skep.Api.Backups;

/// <summary>
/// Decrypts a backup's file. What it gives out is what was written; that it is all of it is known only once it has been read to its end,
/// so nothing must be done with the beginning before.
/// </summary>
public sealed class BackupDecryptingStream : Stream
{
    private const int LengthSizeBytes = 4;

    private readonly Stream input;
    private readonly AesGcm cipher;
    private readonly byte[] associated = new byte[SHA256.HashSizeInBytes + LengthSizeBytes];
    private readonly byte[] sealedChunk = new byte[BackupFormat.ChunkSizeBytes + BackupFormat.TagSizeBytes];
    private readonly byte[] plain = new byte[BackupFormat.ChunkSizeBytes];
    private int used;
    private int taken;
    private ulong number;
    private bool isAtEnd;

    private BackupDecryptingStream(Stream input, BackupHead head, AesGcm cipher)
    {
        this.input = input;
        this.cipher = cipher;
        Header = head.Header;
        head.Hash.CopyTo(associated, 0);
    }

    /// <summary>Opens a file: checks its header against the key.</summary>
    /// <param name="input">At its beginning; stays open.</param>
    /// <param name="secret">Gives what it was encrypted to, by the kind that the header names.</param>
    /// <exception cref="BackupException">It is no backup, of a newer version, damaged, or encrypted to something else.</exception>
    public static BackupDecryptingStream Open(Stream input, Func<BackupHeader, BackupSecret> secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        BackupHead head = BackupFormat.ReadHead(input);
        BackupSecret given = secret(head.Header);
        string kind = Name(head.Header.KeyKind);
        if (given.Kind != head.Header.KeyKind)
        {
            throw new BackupException($"this backup was encrypted to {kind}; give that, and not {Name(given.Kind)}");
        }
        using BackupKeys keys = BackupKeys.Derive(given, head.Header);
        return CryptographicOperations.FixedTimeEquals(keys.Sign(head.Bytes), head.Signature)
            ? new BackupDecryptingStream(input, head, keys.Cipher())
            : throw new BackupException($"this is not {kind} that the backup was encrypted to, or its header was tampered with; give the one it was made with");
    }

    /// <summary>What the file says of itself; not forged.</summary>
    public BackupHeader Header { get; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        while (taken == used && !isAtEnd)
        {
            ReadChunk();
        }
        int given = Math.Min(buffer.Length, used - taken);
        plain.AsSpan(taken, given).CopyTo(buffer);
        taken += given;
        return given;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            cipher.Dispose();
            CryptographicOperations.ZeroMemory(plain);
        }
        base.Dispose(disposing);
    }

    private static string Name(BackupHeader.Types.KeyKind kind) =>
        kind == BackupHeader.Types.KeyKind.UnlockKey ? "the cluster's unlock key" : "the passphrase";

    private void ReadChunk()
    {
        Span<byte> first = associated.AsSpan(SHA256.HashSizeInBytes);
        if (input.ReadAtLeast(first, LengthSizeBytes, throwOnEndOfStream: false) < LengthSizeBytes)
        {
            throw BackupFormat.Damaged("it was cut short");
        }
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(first);
        bool isLast = (word & BackupFormat.LastMark) != 0;
        uint length = word & ~BackupFormat.LastMark;
        if (length > BackupFormat.ChunkSizeBytes)
        {
            throw BackupFormat.Damaged($"chunk {number} is not what was written");
        }
        int size = (int)length + BackupFormat.TagSizeBytes;
        if (input.ReadAtLeast(sealedChunk.AsSpan(0, size), size, throwOnEndOfStream: false) < size)
        {
            throw BackupFormat.Damaged("it was cut short");
        }
        Span<byte> nonce = stackalloc byte[12];
        BackupFormat.Nonce(nonce, number, isLast);
        try
        {
            cipher.Decrypt(nonce, sealedChunk.AsSpan(0, (int)length), sealedChunk.AsSpan((int)length, BackupFormat.TagSizeBytes), plain.AsSpan(0, (int)length), associated);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new BackupException(BackupFormat.Damaged($"chunk {number} is not what was written").Message, e);
        }
        if (isLast && input.ReadByte() >= 0)
        {
            throw BackupFormat.Damaged("something follows its end");
        }
        (used, taken, isAtEnd) = ((int)length, 0, isLast);
        number++;
    }
}
