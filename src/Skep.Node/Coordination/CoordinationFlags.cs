using System.Globalization;
using System.Net;
using System.Net.Security;
using Skep.Coordination;
using Skep.Identity.Tls;

namespace Skep.Node.Coordination;

/// <summary>What swarmd's flags say of coordination, checked.</summary>
internal static class CoordinationFlags
{
    private const string Sequential = "sequential";
    private const string Linearizable = "linearizable";

    /// <summary>How the service is to run; looks into the files that the flags name.</summary>
    /// <param name="options">The flags.</param>
    /// <param name="member">This member of the group.</param>
    /// <param name="clusterTls">The cluster's own TLS; null where nothing is going to be served.</param>
    /// <exception cref="NodeStartException">A flag is wrong, or does not go with another.</exception>
    public static CoordinationOptions Read(NodeOptions options, ulong member = 0, ServerTls? clusterTls = null)
    {
        bool linearizable = options.CoordinationReads switch
        {
            Sequential => false,
            Linearizable => true,
            string other => throw new NodeStartException($"--coordination-reads {other}: expected {Sequential} (a member answers from what it has) or {Linearizable} (it asks the leader first)"),
        };
        CheckCompany(options);
        Func<SslServerAuthenticationOptions>? own = options is { CoordinationTlsCertificate: { } certificate, CoordinationTlsKey: { } key }
            ? CertificateFiles.Load(certificate, key, options.CoordinationTlsAuthority)
            : null;
        IPEndPoint? listen = options.Coordination is { } address ? Address(address) : null;
        if (listen is not null && !IPAddress.IsLoopback(listen.Address) && own is null && !options.CoordinationTls && !options.CoordinationInsecure)
        {
            throw new NodeStartException(
                $"--coordination {options.Coordination}: without TLS it is served on the loopback only; add --coordination-tls, or --coordination-tls-cert and --coordination-tls-key, or --coordination-insecure where the network is trusted");
        }
        var read = new CoordinationOptions
        {
            MemberId = member,
            Listen = listen,
            LinearizableReads = linearizable,
            Tls = own ?? (options.CoordinationTls && clusterTls is not null ? clusterTls.ForClients : null),
            AllowPasswordsInClear = options.CoordinationInsecure,
            EnforceQuotas = options.CoordinationEnforceQuotas,
            AuditFile = options.CoordinationAudit,
            SaslUsers = options.CoordinationSaslUsers is { } users ? SaslUsersFile.Read(users) : null,
        };
        return read with
        {
            Words = options.CoordinationWords is { } words ? Words(words) : read.Words,
            MaxConnectionsPerAddress = options.CoordinationMaxConnectionsPerAddress ?? read.MaxConnectionsPerAddress,
            MaxBufferBytes = options.CoordinationMaxBufferBytes ?? read.MaxBufferBytes,
        };
    }

    private static void CheckCompany(NodeOptions options)
    {
        (string Flag, bool Given)[] needing =
        [
            ("--coordination-tls", options.CoordinationTls),
            ("--coordination-tls-cert", options.CoordinationTlsCertificate is not null),
            ("--coordination-tls-key", options.CoordinationTlsKey is not null),
            ("--coordination-tls-ca", options.CoordinationTlsAuthority is not null),
            ("--coordination-insecure", options.CoordinationInsecure),
            ("--coordination-audit", options.CoordinationAudit is not null),
            ("--coordination-sasl-users", options.CoordinationSaslUsers is not null),
        ];
        if (options.Coordination is null && Array.Find(needing, static f => f.Given).Flag is { } lone)
        {
            throw new NodeStartException($"{lone} needs --coordination: say where clients are served, for instance --coordination 2181");
        }
        if ((options.CoordinationTlsCertificate is null) != (options.CoordinationTlsKey is null))
        {
            throw new NodeStartException("--coordination-tls-cert and --coordination-tls-key go together: give the certificate and its private key");
        }
        if (options is { CoordinationTlsAuthority: not null, CoordinationTlsCertificate: null })
        {
            throw new NodeStartException("--coordination-tls-ca needs --coordination-tls-cert and --coordination-tls-key: with --coordination-tls clients' certificates must lead to the cluster's own root");
        }
        if (options is { CoordinationTls: true, CoordinationTlsCertificate: not null })
        {
            throw new NodeStartException("--coordination-tls and --coordination-tls-cert do not go together: present the cluster's certificate or your own");
        }
        if (options.CoordinationMaxConnectionsPerAddress < 0)
        {
            throw new NodeStartException($"--coordination-max-connections-per-address {options.CoordinationMaxConnectionsPerAddress}: expected a whole number, or 0 for no bound");
        }
        if (options.CoordinationAudit is { } audit && (Directory.Exists(audit) || !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(audit)))))
        {
            throw new NodeStartException($"--coordination-audit {audit}: expected a file in a folder that is there");
        }
        if (options.CoordinationMaxBufferBytes is < CoordinationOptions.LeastBufferBytes or > CoordinationOptions.MostBufferBytes)
        {
            throw new NodeStartException(
                $"--coordination-max-buffer-bytes {options.CoordinationMaxBufferBytes}: expected {CoordinationOptions.LeastBufferBytes} to {CoordinationOptions.MostBufferBytes}: a request is kept in one piece of at most 4 MiB in the managers' log");
        }
    }

    private static IPEndPoint Address(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0
            ? new IPEndPoint(IPAddress.Loopback, port)
            : text.Contains(':', StringComparison.Ordinal)
            ? ListenAddress.Parse(text, "--coordination")
            : throw new NodeStartException($"--coordination {text}: expected a port or host:port, for instance 2181 or 0.0.0.0:2181");

    private static HashSet<string> Words(string text)
    {
        string[] words = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return Array.Find(words, static w => !CoordinationOptions.AllWords.Contains(w)) is { } wrong
            ? throw new NodeStartException($"--coordination-words {text}: \"{wrong}\" is none of {string.Join(", ", CoordinationOptions.AllWords.Order(StringComparer.Ordinal))}")
            : new(words, StringComparer.Ordinal);
    }
}
