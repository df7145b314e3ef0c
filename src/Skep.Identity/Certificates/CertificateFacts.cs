using System.Security.Cryptography.X509Certificates;

namespace Skep.Identity.Certificates;

/// <summary>What authorisation needs to know of a peer's certificate, which TLS has checked against the cluster's root.</summary>
/// <param name="CommonName">The node id.</param>
/// <param name="OrganizationalUnits">The roles.</param>
/// <param name="Organization">The cluster id.</param>
public sealed record CertificateFacts(string CommonName, IReadOnlyList<string> OrganizationalUnits, string Organization)
{
    private const string CommonNameOid = "2.5.4.3";
    private const string OrganizationOid = "2.5.4.10";
    private const string OrganizationalUnitOid = "2.5.4.11";

    /// <summary>Reads them; what the certificate does not say is empty.</summary>
    public static CertificateFacts Of(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var (commonName, organization, units) = ("", "", new List<string>());
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            // Go reads only single attributes as well; a level with several names nobody.
            if (part.HasMultipleElements || part.GetSingleElementValue() is not { } value)
            {
                continue;
            }

            switch (part.GetSingleElementType().Value)
            {
                case CommonNameOid:
                    commonName = value;
                    break;
                case OrganizationOid when organization.Length == 0:
                    organization = value;
                    break;
                case OrganizationalUnitOid:
                    units.Add(value);
                    break;
            }
        }

        return new CertificateFacts(commonName, units, organization);
    }
}
