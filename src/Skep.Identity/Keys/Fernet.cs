using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Skep.Identity.Keys;

/// <summary>
/// Fernet: AES-128-CBC, then HMAC-SHA256 over all of it. One of the two forms in which SwarmKit wraps data keys, and the
/// one that .NET's own primitives can make (source: the Fernet specification, version 0x80).
/// </summary>
internal static class Fernet
{
    public const int KeySizeBytes = 32;

    private const byte Version = 0x80;
    private const int HeadSizeBytes = 1 + 8 + IvSizeBytes;
    private const int IvSizeBytes = 16;
    private const int MacSizeBytes = 32;

    public static byte[] Encrypt(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> key, DateTimeOffset now)
    {
        var iv = RandomNumberGenerator.GetBytes(IvSizeBytes);
        using var aes = Aes.Create();
        aes.Key = key[16..KeySizeBytes].ToArray();
        var cipher = aes.EncryptCbc(plain, iv);

        var token = new byte[HeadSizeBytes + cipher.Length + MacSizeBytes];
        token[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(token.AsSpan(1), now.ToUnixTimeSeconds());
        iv.CopyTo(token, 9);
        cipher.CopyTo(token, HeadSizeBytes);
        HMACSHA256.HashData(key[..16], token.AsSpan(0, token.Length - MacSizeBytes), token.AsSpan(token.Length - MacSizeBytes));
        return Encoding.ASCII.GetBytes(Convert.ToBase64String(token).Replace('+', '-').Replace('/', '_'));
    }

    /// <exception cref="CryptographicException">Not a token, or not of this key.</exception>
    public static byte[] Decrypt(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
    {
        byte[] token;
        try
        {
            token = Convert.FromBase64String(Encoding.ASCII.GetString(text).Replace('-', '+').Replace('_', '/'));
        }
        catch (FormatException e)
        {
            throw new CryptographicException("not a Fernet token", e);
        }

        if (key.Length != KeySizeBytes || token.Length < HeadSizeBytes + MacSizeBytes || token[0] != Version)
        {
            throw new CryptographicException("not a Fernet token");
        }

        var signed = token.AsSpan(0, token.Length - MacSizeBytes);
        var mac = HMACSHA256.HashData(key[..16], signed);
        if (!CryptographicOperations.FixedTimeEquals(mac, token.AsSpan(token.Length - MacSizeBytes)))
        {
            throw new CryptographicException("the key does not open this");
        }

        using var aes = Aes.Create();
        aes.Key = key[16..].ToArray();
        return aes.DecryptCbc(signed[HeadSizeBytes..], signed.Slice(9, IvSizeBytes));
    }
}
