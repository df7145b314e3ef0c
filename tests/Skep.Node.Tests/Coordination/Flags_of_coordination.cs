using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Skep.Coordination;
using Skep.Node.Coordination;

namespace Skep.Node.Tests.Coordination;

/// <summary>What swarmd's flags make of the service.</summary>
public sealed class Flags_of_coordination : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-coordination-").FullName;

    [Fact]
    public void Without_an_address_no_clients_are_served()
    {
        Assert.Null(Read(new() { StateDirectory = _folder }).Listen);
    }

    [Theory]
    [InlineData("2181", "127.0.0.1:2181")]
    [InlineData("127.0.0.1:2181", "127.0.0.1:2181")]
    [InlineData("localhost:2181", "127.0.0.1:2181")]
    [InlineData("[::1]:2181", "[::1]:2181")]
    public void A_port_alone_is_one_of_the_loopback(string flag, string endpoint)
    {
        CoordinationOptions read = Read(new() { StateDirectory = _folder, Coordination = flag });
        Assert.Equal(IPEndPoint.Parse(endpoint), read.Listen);
        Assert.Equal((false, null, 60, 0xfffff), (read.LinearizableReads, read.Tls, read.MaxConnectionsPerAddress, read.MaxBufferBytes));
        Assert.Equal(["isro", "mntr", "ruok", "srvr"], read.Words.Order());
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Other_machines_are_served_by_TLS_or_where_that_is_said_to_be_well(bool tls, bool insecure)
    {
        CoordinationOptions read = Read(new() { StateDirectory = _folder, Coordination = "0.0.0.0:2181", CoordinationTls = tls, CoordinationInsecure = insecure });
        Assert.Equal(IPAddress.Any, read.Listen!.Address);
        Assert.Equal(insecure, read.AllowPasswordsInClear);
    }

    [Fact]
    public void What_is_said_is_taken()
    {
        CoordinationOptions read = Read(new()
        {
            StateDirectory = _folder,
            Coordination = "2181",
            CoordinationReads = "linearizable",
            CoordinationWords = "ruok, stat",
            CoordinationMaxConnectionsPerAddress = 0,
            CoordinationMaxBufferBytes = 4_193_280,
            CoordinationEnforceQuotas = true,
        });
        Assert.True(read.EnforceQuotas);
        Assert.Equal((true, 0, 4_193_280), (read.LinearizableReads, read.MaxConnectionsPerAddress, read.MaxBufferBytes));
        Assert.Equal(["ruok", "stat"], read.Words.Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_certificate_of_ones_own_is_presented_and_clients_are_asked_for_theirs_where_there_is_an_authority(bool authority)
    {
        (string certificate, string key) = WriteCertificate("own");
        NodeOptions options = new()
        {
            StateDirectory = _folder,
            Coordination = "0.0.0.0:2181",
            CoordinationTlsCertificate = certificate,
            CoordinationTlsKey = key,
            CoordinationTlsAuthority = authority ? certificate : null,
        };
        var tls = Read(options).Tls!();
        Assert.Equal(authority, tls.ClientCertificateRequired);
        Assert.Equal("CN=own", tls.ServerCertificateContext!.TargetCertificate.Subject);
    }

    [Fact]
    public void A_key_of_another_certificate_is_refused()
    {
        (string certificate, _) = WriteCertificate("own");
        (_, string key) = WriteCertificate("other");
        NodeOptions options = new() { StateDirectory = _folder, Coordination = "2181", CoordinationTlsCertificate = certificate, CoordinationTlsKey = key };
        Assert.StartsWith($"--coordination-tls-key {key}: it is not the private key of {certificate}", Assert.Throws<NodeStartException>(() => Read(options)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static CoordinationOptions Read(NodeOptions options) => CoordinationFlags.Read(options);

    private (string Certificate, string Key) WriteCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        (string, string) files = (Path.Combine(_folder, name + ".crt"), Path.Combine(_folder, name + ".key"));
        File.WriteAllText(files.Item1, certificate.ExportCertificatePem());
        File.WriteAllText(files.Item2, key.ExportPkcs8PrivateKeyPem());
        return files;
    }
}
