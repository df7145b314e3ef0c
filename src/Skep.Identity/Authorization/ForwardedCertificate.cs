using Grpc.Core;
using Skep.Identity.Certificates;

namespace Skep.Identity.Authorization;

/// <summary>
/// What a manager that hands a call on to the leader says of the one who called it (source: moby/swarmkit ca/forward.go).
/// </summary>
/// <param name="Certificate">The original caller's certificate; empty names for a caller who had none.</param>
/// <param name="RemoteAddress">Where the original caller called from.</param>
public sealed record ForwardedCertificate(CertificateFacts Certificate, string? RemoteAddress)
{
    private const string Marker = "forwarded_cert";
    private const string CommonNameKey = "forwarded_cert_cn";
    private const string UnitKey = "forwarded_cert_ou";
    private const string OrganizationKey = "forwarded_cert_org";
    private const string RemoteAddressKey = "remote_addr";

    /// <summary>The headers that carry it, which count from a manager only.</summary>
    public static IReadOnlyList<string> HeaderNames { get; } = [Marker, CommonNameKey, UnitKey, OrganizationKey, RemoteAddressKey];

    /// <summary>Reads it; null when the call was not handed on.</summary>
    public static ForwardedCertificate? From(Metadata headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (headers.Count(h => h.Key == Marker) != 1 || headers.GetValue(Marker) != "true")
        {
            return null;
        }

        var units = headers.Where(h => h.Key == UnitKey && !h.IsBinary).Select(h => h.Value).ToList();
        var facts = new CertificateFacts(First(headers, CommonNameKey) ?? "", units, First(headers, OrganizationKey) ?? "");
        return new ForwardedCertificate(facts, First(headers, RemoteAddressKey));
    }

    /// <summary>
    /// The headers to hand a call on with: those of the call but for whatever it claimed itself, and the truth about the
    /// caller. They are written also for a caller without a certificate, lest the call look like the manager's own.
    /// </summary>
    public Metadata AppendTo(Metadata original)
    {
        ArgumentNullException.ThrowIfNull(original);
        var headers = new Metadata();
        foreach (var header in original.Where(h => !HeaderNames.Contains(h.Key)))
        {
            headers.Add(header);
        }

        headers.Add(Marker, "true");
        headers.Add(CommonNameKey, Certificate.CommonName);
        headers.Add(OrganizationKey, Certificate.Organization);
        foreach (var unit in Certificate.OrganizationalUnits)
        {
            headers.Add(UnitKey, unit);
        }

        if (RemoteAddress is not null)
        {
            headers.Add(RemoteAddressKey, RemoteAddress);
        }

        return headers;
    }

    private static string? First(Metadata headers, string key) => headers.FirstOrDefault(h => h.Key == key && !h.IsBinary)?.Value;
}
