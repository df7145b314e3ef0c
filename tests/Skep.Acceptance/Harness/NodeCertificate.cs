using System.Buffers.Binary;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace Skep.Acceptance.Harness;

/// <summary>A node's certificate and key taken from its state directory, and what whoever has them can try with them.</summary>
internal sealed class NodeCertificate : IDisposable
{
    private static readonly SslApplicationProtocol Consensus = new("skep-raft/1");

    private readonly X509Certificate2 certificate;

    private NodeCertificate(X509Certificate2 certificate) => this.certificate = certificate;

    public string NodeId => certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    public string ClusterId => certificate.SubjectName.EnumerateRelativeDistinguishedNames().Single(n => n.GetSingleElementType().Value == "2.5.4.10").GetSingleElementValue()!;

    public static NodeCertificate Of(Daemon daemon)
    {
        string folder = Path.Combine(daemon.StateDirectory, "certificates");

        // .NET takes no headers in a PEM; they are lines of "name: value".
        string key = string.Join('\n', File.ReadLines(Path.Combine(folder, "swarm-node.key")).Where(l => !l.Contains(':', StringComparison.Ordinal)));
        using X509Certificate2 read = X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, "swarm-node.crt")), key);
        return new(X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pfx), null));
    }

    /// <summary>The id under which a manager takes part in the group.</summary>
    public static ulong MemberOf(Daemon manager) =>
        ulong.Parse(Posix.Read(Path.Combine(manager.StateDirectory, "raft-member")), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>A TLS connection for the managers' consensus, on which nothing was said yet.</summary>
    /// <param name="address">A manager's.</param>
    /// <param name="certificate">What is shown; null for none.</param>
    public static async Task<SslStream> ConsensusAsync(string address, NodeCertificate? certificate)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(address.Split(':')[0], int.Parse(address.Split(':')[1]));
        var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(certificate?.Options(Consensus) ?? TrustingAnyone(Consensus));
        return tls;
    }

    /// <summary>Calls to a manager under this certificate.</summary>
    public GrpcChannel ChannelTo(string address) => GrpcChannel.ForAddress("https://" + address, new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler { SslOptions = Options(SslApplicationProtocol.Http2) },
    });

    public static byte[] Opening(ulong member)
    {
        byte[] opening = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(opening, member);
        return opening;
    }

    /// <summary>Writes both as programs read them that know nothing of what else a node keeps with its key.</summary>
    public (string Certificate, string Key) Export(string file)
    {
        File.WriteAllText(file + ".crt", certificate.ExportCertificatePem());
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(file + ".key", key.ExportPkcs8PrivateKeyPem());
        return (file + ".crt", file + ".key");
    }

    public void Dispose() => certificate.Dispose();

    private SslClientAuthenticationOptions Options(SslApplicationProtocol protocol)
    {
        SslClientAuthenticationOptions options = TrustingAnyone(protocol);
        options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        return options;
    }

    private static SslClientAuthenticationOptions TrustingAnyone(SslApplicationProtocol protocol) => new()
    {
        TargetHost = "swarm-manager",
        ApplicationProtocols = [protocol],
#pragma warning disable CA5359 // An attacker does not look whom it attacks.
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
    };
}
