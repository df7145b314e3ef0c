using System.Security.Cryptography;
using System.Text;
using Skep.V1;

namespace Skep.Api.Backups;

/// <summary>The two keys of one backup file: one that signs its header, one that its chunks are encrypted with.</summary>
internal sealed class BackupKeys : IDisposable
{
    /// <summary>Rounds of PBKDF2 for a new file: what OWASP asks of PBKDF2-HMAC-SHA256.</summary>
    public const int Iterations = 600_000;

    /// <summary>Most rounds that a file may ask for: more would only keep its reader busy.</summary>
    public const int MaxIterations = 20_000_000;

    public const int SaltSizeBytes = 32;
    private const int KeySizeBytes = 32;

    private readonly byte[] header;
    private readonly byte[] chunks;

    private BackupKeys(byte[] master)
    {
        header = HKDF.Expand(HashAlgorithmName.SHA256, master, KeySizeBytes, "skep backup header"u8.ToArray());
        chunks = HKDF.Expand(HashAlgorithmName.SHA256, master, KeySizeBytes, "skep backup chunks"u8.ToArray());
        CryptographicOperations.ZeroMemory(master);
    }

    /// <summary>Derives them as the header says; takes a good part of a second for a passphrase.</summary>
    public static BackupKeys Derive(BackupSecret secret, BackupHeader of) => new(
        of.KeyKind == BackupHeader.Types.KeyKind.UnlockKey
            ? HKDF.Extract(HashAlgorithmName.SHA256, secret.Bytes, of.Salt.ToByteArray())
            : Rfc2898DeriveBytes.Pbkdf2(secret.Bytes, of.Salt.Span, (int)of.KdfIterations, HashAlgorithmName.SHA256, KeySizeBytes));

    /// <summary>Signs the header.</summary>
    public byte[] Sign(ReadOnlySpan<byte> head) => HMACSHA256.HashData(header, head);

    /// <summary>Encrypts and decrypts chunks.</summary>
    public AesGcm Cipher() => new(chunks, BackupFormat.TagSizeBytes);

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(header);
        CryptographicOperations.ZeroMemory(chunks);
    }
}

/// <summary>What a backup is encrypted to.</summary>
public sealed class BackupSecret
{
    /// <summary>Fewer characters can be guessed, whatever is done to them.</summary>
    public const int MinPassphraseCharacters = 8;

    private const int MaxPassphraseFileBytes = 64 * 1024;

    private BackupSecret(BackupHeader.Types.KeyKind kind, byte[] bytes) => (Kind, Bytes) = (kind, bytes);

    /// <summary>Which of the two it is.</summary>
    public BackupHeader.Types.KeyKind Kind { get; }

    internal byte[] Bytes { get; }

    /// <summary>A passphrase.</summary>
    /// <exception cref="BackupException">It is too short.</exception>
    public static BackupSecret Passphrase(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length < MinPassphraseCharacters
            ? throw new BackupException($"the passphrase has {text.Length} characters; give one of at least {MinPassphraseCharacters}")
            : new(BackupHeader.Types.KeyKind.Passphrase, Encoding.UTF8.GetBytes(text));
    }

    /// <summary>The passphrase in a file, without the line's end that an editor puts there.</summary>
    /// <exception cref="BackupException">It cannot be read.</exception>
    public static string ReadPassphraseFile(string path)
    {
        try
        {
            string text = new FileInfo(path).Length > MaxPassphraseFileBytes
                ? throw new BackupException($"the passphrase file {path} has more than {MaxPassphraseFileBytes} bytes; name one that holds a passphrase")
                : File.ReadAllText(path);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException($"the passphrase file cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The cluster's unlock key.</summary>
    /// <param name="key">Its 32 bytes.</param>
    public static BackupSecret UnlockKey(ReadOnlySpan<byte> key) => new(BackupHeader.Types.KeyKind.UnlockKey, key.ToArray());
}
