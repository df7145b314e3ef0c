using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Skep.V1;

namespace Skep.Api.Backups;

/// <summary>Encrypts what is written to it into a backup's file, a chunk at a time; <see cref="Complete"/> ends it.</summary>
public sealed class BackupEncryptingStream : Stream
{
    private const int LengthSizeBytes = 4;

    private readonly Stream output;
    private readonly AesGcm cipher;
    private readonly byte[] associated = new byte[SHA256.HashSizeInBytes + LengthSizeBytes];
    private readonly byte[] plain = new byte[BackupFormat.ChunkSizeBytes];
    private readonly byte[] frame = new byte[LengthSizeBytes + BackupFormat.ChunkSizeBytes + BackupFormat.TagSizeBytes];
    private int used;
    private ulong number;
    private bool complete;

    private BackupEncryptingStream(Stream output, BackupHeader header, BackupKeys keys)
    {
        this.output = output;
        cipher = keys.Cipher();
        byte[] head = BackupFormat.WriteHead(header, keys);
        head.AsSpan(head.Length - (2 * SHA256.HashSizeInBytes), SHA256.HashSizeInBytes).CopyTo(associated);
        output.Write(head);
    }

    /// <summary>Begins a file: writes its header.</summary>
    /// <param name="output">Takes the file; stays open.</param>
    /// <param name="about">What the header is to say; salt and key are filled in.</param>
    /// <param name="secret">What it is encrypted to.</param>
    public static BackupEncryptingStream Create(Stream output, BackupHeader about, BackupSecret secret) => Create(output, about, secret, BackupKeys.Iterations);

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(complete, this);
        while (!buffer.IsEmpty)
        {
            // A full chunk is kept back until there is more, since it may be the last.
            if (used == plain.Length)
            {
                WriteChunk(isLast: false);
            }
            int taken = Math.Min(buffer.Length, plain.Length - used);
            buffer[..taken].CopyTo(plain.AsSpan(used));
            used += taken;
            buffer = buffer[taken..];
        }
    }

    /// <summary>Writes the last chunk: without it the file is none.</summary>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(complete, this);
        complete = true;
        WriteChunk(isLast: true);
        output.Flush();
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Chunks go out when they are full.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    internal static BackupEncryptingStream Create(Stream output, BackupHeader about, BackupSecret secret, int iterations)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(about);
        ArgumentNullException.ThrowIfNull(secret);
        BackupHeader header = about.Clone();
        header.Salt = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(BackupKeys.SaltSizeBytes));
        header.KeyKind = secret.Kind;
        header.KdfIterations = secret.Kind == BackupHeader.Types.KeyKind.Passphrase ? (uint)iterations : 0;
        using BackupKeys keys = BackupKeys.Derive(secret, header);
        return new BackupEncryptingStream(output, header, keys);
    }

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

    private void WriteChunk(bool isLast)
    {
        Span<byte> nonce = stackalloc byte[12];
        BackupFormat.Nonce(nonce, number++, isLast);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)used | (isLast ? BackupFormat.LastMark : 0));
        frame.AsSpan(0, LengthSizeBytes).CopyTo(associated.AsSpan(SHA256.HashSizeInBytes));
        cipher.Encrypt(nonce, plain.AsSpan(0, used), frame.AsSpan(LengthSizeBytes, used), frame.AsSpan(LengthSizeBytes + used, BackupFormat.TagSizeBytes), associated);
        output.Write(frame, 0, LengthSizeBytes + used + BackupFormat.TagSizeBytes);
        used = 0;
    }
}
