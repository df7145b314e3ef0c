using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using Docker.Swarmkit.V1;

namespace Skep.Identity.Certificates;

/// <summary>Whom a node's certificate names: <c>O=cluster id, OU=role, CN=node id</c>.</summary>
/// <param name="NodeId">The common name.</param>
/// <param name="Role">The organizational unit.</param>
/// <param name="ClusterId">The organization.</param>
public sealed record NodeSubject(string NodeId, NodeRole Role, string ClusterId)
{
    private const string CommonNameOid = "2.5.4.3";
    private const string OrganizationOid = "2.5.4.10";
    private const string OrganizationalUnitOid = "2.5.4.11";

    /// <summary>Reads the subject of a node's certificate.</summary>
    /// <exception cref="CertificateException">It is not a node's.</exception>
    public static NodeSubject Of(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var facts = CertificateFacts.Of(certificate);
        var role = facts.OrganizationalUnits.Select(RoleNames.Parse).FirstOrDefault(r => r is not null);
        return role is { } known && facts.CommonName.Length > 0 && facts.Organization.Length > 0
            ? new NodeSubject(facts.CommonName, known, facts.Organization)
            : throw new CertificateException($"this is no node's certificate: {certificate.Subject}");
    }

    /// <summary>One attribute a level in the order O, OU, CN, as Go writes names.</summary>
    internal X500DistinguishedName ToName()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            WriteAttribute(writer, OrganizationOid, ClusterId);
            WriteAttribute(writer, OrganizationalUnitOid, RoleNames.Of(Role));
            WriteAttribute(writer, CommonNameOid, NodeId);
        }

        return new X500DistinguishedName(writer.Encode());
    }

    /// <summary>A name that is a common name and nothing else.</summary>
    internal static X500DistinguishedName CommonNameOnly(string commonName)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            WriteAttribute(writer, CommonNameOid, commonName);
        }

        return new X500DistinguishedName(writer.Encode());
    }

    private static void WriteAttribute(AsnWriter writer, string oid, string value)
    {
        using (writer.PushSetOf())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            var printable = value.All(c => char.IsAsciiLetterOrDigit(c) || " '()+,-./:=?".Contains(c, StringComparison.Ordinal));
            writer.WriteCharacterString(printable ? UniversalTagNumber.PrintableString : UniversalTagNumber.UTF8String, value);
        }
    }
}
