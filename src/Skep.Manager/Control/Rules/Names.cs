using Docker.Swarmkit.V1;

namespace Skep.Manager.Control.Rules;

/// <summary>How things may be called (facts: moby/swarmkit manager/controlapi/common.go).</summary>
internal static class Names
{
    private const int MaxDnsNameLength = 63;
    private const int MaxFileNameLength = 64;

    /// <summary>Services and networks: a DNS label, with dashes and underscores inside.</summary>
    public static void CheckDnsName(Annotations? annotations)
    {
        string name = annotations?.Name ?? "";
        if (name.Length == 0)
        {
            throw Refusal.Invalid("meta: name must be provided");
        }
        if (!char.IsAsciiLetterOrDigit(name[0]) || !char.IsAsciiLetterOrDigit(name[^1]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            throw Refusal.Invalid("name must be valid as a DNS name component");
        }
        if (name.Length > MaxDnsNameLength)
        {
            throw Refusal.Invalid("name must be 63 characters or fewer");
        }
    }

    /// <summary>Secrets and configs: what may be a file's name, dots inside.</summary>
    public static void CheckFileName(Annotations? annotations)
    {
        string name = annotations?.Name ?? "";
        if (name.Length == 0)
        {
            throw Refusal.Invalid("name must be provided");
        }
        if (name.Length > MaxFileNameLength
            || !char.IsAsciiLetterOrDigit(name[0])
            || !char.IsAsciiLetterOrDigit(name[^1])
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw Refusal.Invalid("invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]");
        }
    }
}
