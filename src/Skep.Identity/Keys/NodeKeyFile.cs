using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Skep.Identity.Certificates;
using Skep.Identity.Files;

namespace Skep.Identity.Keys;

/// <summary>What is in the key file.</summary>
/// <param name="PrivateKeyPem">The node's private key, PKCS#8 PEM, not encrypted.</param>
/// <param name="DataKeys">The keys of the log.</param>
public sealed record NodeKey(byte[] PrivateKeyPem, DataKeys DataKeys);

/// <summary>
/// The node's certificate and key on disk: <c>swarm-node.crt</c> and <c>swarm-node.key</c>, the latter PKCS#8 PEM whose
/// headers carry <c>kek-version</c> and the wrapped data keys. The one place that writes them.
/// </summary>
/// <remarks>
/// A new certificate is written beside the old one first, then the key, then the certificate is renamed: whatever stops
/// the machine in between, the key on disk has its certificate, under one name or the other.
/// </remarks>
public sealed class NodeKeyFile
{
    private const string VersionHeader = "kek-version";
    private const string PlainLabel = "PRIVATE KEY";
    private const string EncryptedLabel = "ENCRYPTED PRIVATE KEY";
    private const int MaxSizeBytes = 1 << 20;
    private static readonly PbeParameters Encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2048);

    private readonly Lock _gate = new();
    private readonly StateDirectory _state;
    private readonly TimeProvider _time;
    private KeyEncryptionKey _kek;
    private TaskCompletionSource _rewrapped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Names the files; reads nothing yet.</summary>
    /// <param name="state">Where they are.</param>
    /// <param name="time">Stamps what is wrapped.</param>
    /// <param name="unlockKey">Opens a locked manager; null where nothing is locked.</param>
    public NodeKeyFile(StateDirectory state, TimeProvider time, byte[]? unlockKey = null)
    {
        ArgumentNullException.ThrowIfNull(state);
        (_state, _time) = (state, time);
        _kek = new KeyEncryptionKey(unlockKey, 0);
    }

    /// <summary>Whether there is a key on disk.</summary>
    public bool Exists => File.Exists(_state.NodeKey);

    /// <summary>Whether the key on disk is locked and the unlock key is missing or wrong.</summary>
    /// <exception cref="CertificateException">The file is no key.</exception>
    public bool IsLocked
    {
        get
        {
            try
            {
                _ = Exists ? Read() : null;
                return false;
            }
            catch (KeyLockedException)
            {
                return true;
            }
        }
    }

    /// <summary>Ends when everything is next wrapped with another unlock key, or with none; another one then.</summary>
    public Task Rewrapped => Volatile.Read(ref _rewrapped).Task;

    /// <summary>What locks the key now; its version is known after <see cref="Read"/>.</summary>
    public KeyEncryptionKey KeyEncryptionKey
    {
        get
        {
            lock (_gate)
            {
                return _kek;
            }
        }
    }

    private string CertificateBeside => Path.Combine(_state.CertificatesFolder, ".swarm-node.crt");

    /// <summary>Reads the key and its headers.</summary>
    /// <exception cref="KeyLockedException">It is locked and the unlock key is missing or wrong.</exception>
    /// <exception cref="CertificateException">The file is no key.</exception>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public NodeKey Read()
    {
        lock (_gate)
        {
            return ReadKey();
        }
    }

    /// <summary>Reads the certificate that belongs to the key on disk, finishing a write that was interrupted.</summary>
    /// <exception cref="CertificateException">Neither certificate on disk belongs to the key.</exception>
    public byte[] ReadCertificate()
    {
        lock (_gate)
        {
            var keyPem = ReadKey().PrivateKeyPem;
            if (BelongsTo(_state.NodeCertificate, keyPem) is { } current)
            {
                return current;
            }

            if (BelongsTo(CertificateBeside, keyPem) is not { } written)
            {
                throw new CertificateException(
                    $"{_state.NodeCertificate} is not the certificate of {_state.NodeKey}; remove {_state.CertificatesFolder} and join again");
            }

            File.Move(CertificateBeside, _state.NodeCertificate, overwrite: true);
            WholeFile.SyncFolder(_state.CertificatesFolder);
            return written;
        }
    }

    /// <summary>Replaces certificate and key; the data keys stay.</summary>
    public void Write(ReadOnlySpan<byte> certificatePem, ReadOnlySpan<byte> privateKeyPem)
    {
        lock (_gate)
        {
            var dataKeys = Exists ? ReadKey().DataKeys : DataKeys.None;
            _state.Create();
            WholeFile.Write(CertificateBeside, certificatePem, WholeFile.Public);
            WriteKey(new NodeKey(privateKeyPem.ToArray(), dataKeys), _kek);
            File.Move(CertificateBeside, _state.NodeCertificate, overwrite: true);
            WholeFile.SyncFolder(_state.CertificatesFolder);
        }
    }

    /// <summary>Replaces the data keys; certificate and key stay.</summary>
    public void WriteDataKeys(DataKeys dataKeys)
    {
        lock (_gate)
        {
            WriteKey(ReadKey() with { DataKeys = dataKeys }, _kek);
        }
    }

    /// <summary>Changes the data keys; certificate and key stay.</summary>
    /// <param name="change">Gives back what it is given where there is nothing to write.</param>
    /// <returns>What the file holds now.</returns>
    public DataKeys ChangeDataKeys(Func<DataKeys, DataKeys> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
        {
            var content = ReadKey();
            var next = change(content.DataKeys);
            if (!ReferenceEquals(next, content.DataKeys))
            {
                WriteKey(content with { DataKeys = next }, _kek);
            }

            return next;
        }
    }

    /// <summary>Leaves what a worker has: a key that nothing locks, and no data keys.</summary>
    /// <returns>Whether something was written.</returns>
    public bool ForgetManager()
    {
        lock (_gate)
        {
            var content = ReadKey();
            if (!_kek.Locks && content.DataKeys == DataKeys.None)
            {
                return false;
            }

            // The version too: a manager once more, it follows the same cluster object anew.
            WriteKey(content with { DataKeys = DataKeys.None }, KeyEncryptionKey.None);
            return true;
        }
    }

    /// <summary>
    /// Wraps everything with another unlock key, or with none. One that locks marks the data keys for a change: the current one has
    /// been readable on disk, or by an unlock key that is to be good for nothing any more.
    /// </summary>
    /// <returns>Whether something was written; not for an older version or the same key.</returns>
    /// <exception cref="InvalidOperationException">The same version with another key.</exception>
    public bool Rewrap(KeyEncryptionKey next)
    {
        ArgumentNullException.ThrowIfNull(next);
        lock (_gate)
        {
            var content = ReadKey();
            var same = CryptographicOperations.FixedTimeEquals(_kek.Key ?? [], next.Key ?? []);
            if (next.Version == _kek.Version && !same)
            {
                throw new InvalidOperationException(
                    $"two different unlock keys have the same version {next.Version}; the newer must have a higher one");
            }

            if (next.Version < _kek.Version || same)
            {
                return false;
            }

            var keys = content.DataKeys;
            WriteKey(content with { DataKeys = keys with { NeedsRotation = keys.Current is not null && (keys.NeedsRotation || next.Locks) } }, next);
        }

        Interlocked.Exchange(ref _rewrapped, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        return true;
    }

    private NodeKey ReadKey()
    {
        var file = new FileInfo(_state.NodeKey);
        if (file.Exists && file.Length > MaxSizeBytes)
        {
            throw new CertificateException($"{_state.NodeKey} has {file.Length} bytes; a key file has at most {MaxSizeBytes}");
        }

        try
        {
            var block = HeaderedPem.Parse(File.ReadAllText(_state.NodeKey));
            if (ulong.TryParse(block.Headers.GetValueOrDefault(VersionHeader), CultureInfo.InvariantCulture, out var version))
            {
                _kek = _kek with { Version = version };
            }

            if (block.Label != EncryptedLabel)
            {
                // An unlock key that is still given after autolock was turned off locks nothing.
                _kek = _kek with { Key = null };
            }

            return new NodeKey(Decrypt(block), DataKeys.FromHeaders(block.Headers, _kek));
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or Google.Protobuf.InvalidProtocolBufferException)
        {
            throw new CertificateException($"{_state.NodeKey} is no key file: {e.Message}", e);
        }
    }

    private byte[] Decrypt(HeaderedPem block)
    {
        if (block.Label != EncryptedLabel)
        {
            return Encoding.ASCII.GetBytes(PemEncoding.WriteString(block.Label, block.Content) + "\n");
        }

        using var key = ECDsa.Create();
        try
        {
            key.ImportEncryptedPkcs8PrivateKey(_kek.Key ?? throw new KeyLockedException(), block.Content, out _);
        }
        catch (CryptographicException e)
        {
            throw new KeyLockedException(e);
        }

        return Pem.EncodePrivateKey(key);
    }

    private void WriteKey(NodeKey content, KeyEncryptionKey kek)
    {
        using var key = Pem.PrivateKey(content.PrivateKeyPem, "the node's key");
        var headers = new Dictionary<string, string> { [VersionHeader] = kek.Version.ToString(CultureInfo.InvariantCulture) };
        content.DataKeys.AddTo(headers, kek, _time.GetUtcNow());
        var block = kek.Key is null
            ? new HeaderedPem(PlainLabel, headers, key.ExportPkcs8PrivateKey())
            : new HeaderedPem(EncryptedLabel, headers, key.ExportEncryptedPkcs8PrivateKey(kek.Key, Encryption));
        WholeFile.Write(_state.NodeKey, Encoding.ASCII.GetBytes(block.ToString()));
        _kek = kek;
    }

    private static byte[]? BelongsTo(string certificatePath, byte[] keyPem)
    {
        if (!File.Exists(certificatePath))
        {
            return null;
        }

        var pem = File.ReadAllBytes(certificatePath);
        using var key = Pem.PrivateKey(keyPem, "the node's key");
        try
        {
            return Pem.Certificates(pem, certificatePath) is [var leaf, ..] && Pem.BelongTogether(leaf, key) ? pem : null;
        }
        catch (CertificateException)
        {
            return null;
        }
    }
}
