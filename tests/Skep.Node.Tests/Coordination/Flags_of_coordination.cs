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
    public void Users_are_read_from_their_file()
    {
        string file = Users("# who may\n\nbee:honey:and wax\nqueen: \n");
        CoordinationOptions read = Read(new() { StateDirectory = _folder, Coordination = "2181", CoordinationSaslUsers = file, CoordinationAudit = "/tmp/audit" });
        Assert.Equal([("bee", "honey:and wax"), ("queen", " ")], read.SaslUsers!.Select(static u => (u.Key, u.Value)));
        Assert.Equal("/tmp/audit", read.AuditFile);
    }

    [Theory]
    [InlineData("bee", "line 1: expected name:password")]
    [InlineData("a:b\n:honey", "line 2: expected name:password")]
    [InlineData("a:b\nbee:", "line 2: expected name:password")]
    [InlineData("bee:honey\nbee:wax", "line 2: bee is there twice")]
    [InlineData("# none\n", "there is no user in it; expected name:password a line")]
    public void Lines_that_are_no_users_are_named_without_their_passwords(string lines, string why)
    {
        string file = Users(lines);
        string message = Refused(file);
        Assert.Equal($"--coordination-sasl-users {file}{(why.StartsWith("line", StringComparison.Ordinal) ? "," : ":")} {why}", message);
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void A_file_of_users_that_others_can_read_or_write_is_refused(UnixFileMode mode)
    {
        string file = Users("bee:honey");
        File.SetUnixFileMode(file, File.GetUnixFileMode(file) | mode);
        Assert.Contains($"chmod 600 {file}", Refused(file), StringComparison.Ordinal);
    }

    private string Refused(string file) =>
        Assert.Throws<NodeStartException>(() => Read(new() { StateDirectory = _folder, Coordination = "2181", CoordinationSaslUsers = file })).Message;

    private string Users(string lines)
    {
        string file = Path.Combine(_folder, "users");
        File.WriteAllText(file, lines);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
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
