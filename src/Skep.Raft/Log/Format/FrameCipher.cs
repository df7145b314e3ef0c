using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Skep.Raft.Log;

/// <summary>
/// Turns records into the frames of one file and back: AES-256-GCM under a key that only this file has
/// (HKDF-SHA256 of data key and salt), with the frame's number as nonce. Not for several threads at once.
/// </summary>
internal sealed class FrameCipher : IDisposable
{
    private const int NonceSizeBytes = 12;
    private const int AssociatedSizeBytes = LogFormat.FrameHeaderSizeBytes - sizeof(uint);

    private readonly Gcm _aes;

    public FrameCipher(byte[] dataKey, FileHeader header)
    {
        Span<byte> info = stackalloc byte[24 + sizeof(uint) + sizeof(uint) + sizeof(ulong)];
        "skep raft file key      "u8.CopyTo(info);
        BinaryPrimitives.WriteUInt32LittleEndian(info[24..], LogFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(info[28..], (uint)header.Kind);
        BinaryPrimitives.WriteUInt64LittleEndian(info[32..], header.Sequence);

        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, dataKey, key, header.Salt, info);
        _aes = new Gcm(key);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Writes the frame of a record at the start of <paramref name="destination"/> and zeros behind it up to the next frame.</summary>
    /// <returns>Bytes used, padding included.</returns>
    public int Write(Span<byte> destination, long offset, long batchStart, ulong counter, in LogRecord record)
    {
        var header = new FrameHeader(offset, batchStart, counter, record);
        var frame = destination[..header.LengthBytes];
        header.Write(frame);
        var text = frame[LogFormat.FrameHeaderSizeBytes..^LogFormat.TagSizeBytes];
        record.Payload.Span.CopyTo(text);

        Span<byte> nonce = stackalloc byte[NonceSizeBytes];
        Span<byte> associated = stackalloc byte[AssociatedSizeBytes];
        Describe(frame, counter, nonce, associated);
        _aes.Encrypt(nonce, text, frame[^LogFormat.TagSizeBytes..], associated);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[FrameHeader.ChecksumOffset..], FrameHeader.Checksum(frame));
        destination[header.LengthBytes..header.PaddedLengthBytes].Clear();
        return header.PaddedLengthBytes;
    }

    /// <summary>Decrypts a frame whose header and checksum were found right.</summary>
    /// <param name="frame">The frame, without padding.</param>
    /// <param name="header">Its header.</param>
    /// <param name="record">The record.</param>
    /// <returns>null, or in a few words why it is none.</returns>
    public string? Read(ReadOnlySpan<byte> frame, in FrameHeader header, out LogRecord record)
    {
        var payload = new byte[header.PayloadLengthBytes];
        record = header.ToRecord(payload);
        Span<byte> nonce = stackalloc byte[NonceSizeBytes];
        Span<byte> associated = stackalloc byte[AssociatedSizeBytes];
        Describe(frame, header.Counter, nonce, associated);
        try
        {
            _aes.Decrypt(nonce, frame[LogFormat.FrameHeaderSizeBytes..^LogFormat.TagSizeBytes], frame[^LogFormat.TagSizeBytes..], payload, associated);
            return null;
        }
        catch (AuthenticationTagMismatchException)
        {
            return "the record is not what was encrypted (authentication tag)";
        }
    }

    public void Dispose() => _aes.Dispose();

    private static void Describe(ReadOnlySpan<byte> frame, ulong counter, Span<byte> nonce, Span<byte> associated)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce[4..], counter);
        frame[..FrameHeader.ChecksumOffset].CopyTo(associated);
        frame[FrameHeader.BehindChecksum..LogFormat.FrameHeaderSizeBytes].CopyTo(associated[FrameHeader.ChecksumOffset..]);
    }
}
