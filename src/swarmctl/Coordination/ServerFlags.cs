using System.CommandLine;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Skep.Coordination.Client;
using Swarmctl.Connection;
using Swarmctl.Flags;

namespace Swarmctl.Coordination;

/// <summary>Which server, as whom, and how the connection is secured.</summary>
internal static class ServerFlags
{
    private const string Default = "127.0.0.1:2181";

    public static readonly Option<string> Server = new("--server")
    {
        Description = $"Servers to connect to, host:port[,host:port][/chroot] (default \"{Default}\", or $SWARM_COORDINATION)",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("SWARM_COORDINATION") is { Length: > 0 } given ? given : Default,
        HelpName = "string",
    };

    private static readonly Option<string[]> Auth = CommonFlags.List("--auth", "identity to show, scheme:proof (e.g. digest:user:password)");
    private static readonly Option<string> AuthFile = CommonFlags.Text("--auth-file", "File with identities to show, one a line");
    private static readonly Option<bool> Tls = new("--tls") { Description = "Connect by TLS" };
    private static readonly Option<string> TlsCa = CommonFlags.Text("--tls-ca", "PEM file with the roots that the server's certificate must lead to (default: the system's)");
    private static readonly Option<string> TlsCert = CommonFlags.Text("--tls-cert", "PEM file with a certificate to show to the server");
    private static readonly Option<string> TlsKey = CommonFlags.Text("--tls-key", "PEM file with the certificate's private key");
    private static readonly Option<string> TlsServerName = CommonFlags.Text("--tls-server-name", "Name that the server's certificate must bear (default: the host's; swarmd's own bear swarm-manager)");

    public static Symbol[] All => [Server, Auth, AuthFile, Tls, TlsCa, TlsCert, TlsKey, TlsServerName];

    /// <exception cref="UserException">A flag is wrong, or a file that it names cannot be read.</exception>
    public static CoordinationClientOptions Read(ParseResult flags)
    {
        try
        {
            return CoordinationClientOptions.Parse(flags.GetValue(Server)!) with
            {
                Auth = [.. (flags.GetValue(Auth) ?? []).Concat(AuthLines(flags.GetValue(AuthFile))).Select(ReadAuth)],
                Tls = ReadTls(flags),

                // A command is short: its session need not outlive it by much.
                SessionTimeoutMs = 10_000,
                ConnectTimeout = TimeSpan.FromSeconds(5),
            };
        }
        catch (FormatException e)
        {
            throw new UserException($"--server (or $SWARM_COORDINATION): {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new UserException(e.Message);
        }
    }

    private static string[] AuthLines(string? path) =>
        path is null ? [] : [.. File.ReadLines(path).Select(static l => l.Trim()).Where(static l => l.Length > 0)];

    private static AuthInfo ReadAuth(string text)
    {
        string[] parts = text.Split(':', 2);

        // The text may be a password and is not shown.
        return parts is [{ Length: > 0 }, _]
            ? new AuthInfo(parts[0], Encoding.UTF8.GetBytes(parts[1]))
            : throw new UserException("invalid argument for --auth: expected scheme:proof, for instance digest:user:password");
    }

    // A node's own key has headers, lines of name: value, which .NET takes in no PEM.
    private static string ReadKey(string file) => string.Join('\n', File.ReadLines(file).Where(static l => !l.Contains(':', StringComparison.Ordinal)));

    private static SslClientAuthenticationOptions? ReadTls(ParseResult flags)
    {
        (string? ca, string? cert, string? key, string? name) = (flags.GetValue(TlsCa), flags.GetValue(TlsCert), flags.GetValue(TlsKey), flags.GetValue(TlsServerName));
        if (!flags.GetValue(Tls) && ca is null && cert is null && key is null && name is null)
        {
            return null;
        }
        if (cert is null != key is null)
        {
            throw new UserException("--tls-cert and --tls-key belong together");
        }
        var tls = new SslClientAuthenticationOptions { TargetHost = name };
        if (cert is not null)
        {
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(File.ReadAllText(cert), ReadKey(key!)), additionalCertificates: null);
        }
        if (ca is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(ca);
            tls.CertificateChainPolicy = policy;
        }
        return tls;
    }
}
