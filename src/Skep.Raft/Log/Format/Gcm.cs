using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Skep.Raft.Log;

/// <summary>
/// AES-256-GCM with one key, many small pieces. .NET's own class asks the same library three times as much for each piece, which is
/// more than all else that a record costs; it serves where the library has another name. Not for several threads at once.
/// </summary>
internal sealed partial class Gcm : IDisposable
{
    private const string Library = "libcrypto.so.3";
    private const int GetTag = 0x10;
    private const int SetTag = 0x11;

    private static readonly bool HasLibrary = NativeLibrary.TryLoad(Library, out _);

    private readonly AesGcm? _slow;
    private readonly nint _encrypting;
    private readonly nint _decrypting;
    private bool _disposed;

    public Gcm(ReadOnlySpan<byte> key)
    {
        if (HasLibrary)
        {
            _encrypting = Context(key, encrypt: 1);
            _decrypting = Context(key, encrypt: 0);
        }
        else
        {
            _slow = new AesGcm(key, LogFormat.TagSizeBytes);
        }
    }

    ~Gcm() => Free();

    /// <summary>Encrypts in place.</summary>
    public unsafe void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> text, Span<byte> tag, ReadOnlySpan<byte> associated)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_slow is not null)
        {
            _slow.Encrypt(nonce, text, text, tag, associated);
            return;
        }

        byte* nothing = stackalloc byte[LogFormat.TagSizeBytes];
        fixed (byte* iv = nonce, data = text, mac = tag, aad = associated)
        {
            Check(Init(_encrypting, 0, 0, null, iv, 1));
            Check(Update(_encrypting, null, out _, aad, associated.Length));
            Check(text.Length == 0 ? 1 : Update(_encrypting, data, out _, data, text.Length));
            Check(Final(_encrypting, nothing, out _));
            Check(Control(_encrypting, GetTag, tag.Length, mac));
        }

        GC.KeepAlive(this);
    }

    /// <exception cref="AuthenticationTagMismatchException">It is not what was encrypted.</exception>
    public unsafe void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> tag, Span<byte> text, ReadOnlySpan<byte> associated)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_slow is not null)
        {
            _slow.Decrypt(nonce, secret, tag, text, associated);
            return;
        }

        byte* nothing = stackalloc byte[LogFormat.TagSizeBytes];
        fixed (byte* iv = nonce, from = secret, to = text, mac = tag, aad = associated)
        {
            Check(Init(_decrypting, 0, 0, null, iv, 0));
            Check(Update(_decrypting, null, out _, aad, associated.Length));
            Check(secret.Length == 0 ? 1 : Update(_decrypting, to, out _, from, secret.Length));
            Check(Control(_decrypting, SetTag, tag.Length, mac));
            var sound = Final(_decrypting, nothing, out _) == 1;
            GC.KeepAlive(this);
            if (!sound)
            {
                text.Clear();
                ClearErrors();
                throw new AuthenticationTagMismatchException();
            }
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static unsafe nint Context(ReadOnlySpan<byte> key, int encrypt)
    {
        if (key.Length != LogFormat.DataKeySizeBytes)
        {
            throw new ArgumentException($"a key has {LogFormat.DataKeySizeBytes} bytes, this one has {key.Length}", nameof(key));
        }

        var context = NewContext();
        fixed (byte* bytes = key)
        {
            Check(Init(context, Aes256Gcm(), 0, bytes, null, encrypt));
        }

        return context;
    }

    private static void Check(int result)
    {
        if (result != 1)
        {
            ClearErrors();
            throw new CryptographicException("OpenSSL refuses to encrypt or decrypt with AES-256-GCM");
        }
    }

    private void Free()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _slow?.Dispose();
        if (_encrypting != 0)
        {
            FreeContext(_encrypting);
        }

        if (_decrypting != 0)
        {
            FreeContext(_decrypting);
        }
    }

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_new")]
    private static partial nint NewContext();

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_free")]
    private static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "EVP_aes_256_gcm")]
    private static partial nint Aes256Gcm();

    [LibraryImport(Library, EntryPoint = "EVP_CipherInit_ex")]
    private static unsafe partial int Init(nint context, nint cipher, nint engine, byte* key, byte* nonce, int encrypt);

    [LibraryImport(Library, EntryPoint = "EVP_CipherUpdate")]
    private static unsafe partial int Update(nint context, byte* to, out int written, byte* from, int count);

    [LibraryImport(Library, EntryPoint = "EVP_CipherFinal_ex")]
    private static unsafe partial int Final(nint context, byte* to, out int written);

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_ctrl")]
    private static unsafe partial int Control(nint context, int what, int count, byte* bytes);

    [LibraryImport(Library, EntryPoint = "ERR_clear_error")]
    private static partial void ClearErrors();
}
