using System.Diagnostics.CodeAnalysis;

namespace Skep.Api;

/// <summary>
/// A name of a container image, <c>[domain/]path[:tag][@digest]</c>, with Docker's rules: without a domain it is one of
/// docker.io, and there without a slash one of library/ (source: distribution/reference).
/// </summary>
public sealed record ImageReference
{
    /// <summary>Domain of names that have none.</summary>
    public const string DefaultDomain = "docker.io";

    private const int MaxNameLength = 255;
    private const int MaxTagLength = 128;

    private ImageReference(string domain, string path, string? tag, string? digest) =>
        (Domain, Path, Tag, Digest) = (domain, path, tag, digest);

    /// <summary>Registry: a host, maybe with a port.</summary>
    public string Domain { get; }

    /// <summary>Repository in the registry.</summary>
    public string Path { get; }

    /// <summary>Tag, or null.</summary>
    public string? Tag { get; }

    /// <summary>Digest such as <c>sha256:…</c>, or null.</summary>
    public string? Digest { get; }

    /// <summary>Domain and path.</summary>
    public string Repository => $"{Domain}/{Path}";

    /// <summary>Reads a reference as users write it.</summary>
    /// <exception cref="FormatException">It is none; the message quotes it.</exception>
    public static ImageReference Parse(string text) =>
        TryParse(text, out ImageReference? reference) ? reference : throw new FormatException($"\"{text}\" is not a valid repository/tag");

    /// <summary>Reads a reference as users write it; false when it is none.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageReference? reference)
    {
        reference = null;
        if (string.IsNullOrEmpty(text) || IsBareId(text))
        {
            return false;
        }
        (string rest, string? digest) = Cut(text, text.IndexOf('@', StringComparison.Ordinal));
        // A colon before the last slash is a port's.
        int colon = rest.LastIndexOf(':');
        (rest, string? tag) = Cut(rest, colon > rest.LastIndexOf('/') ? colon : -1);
        (string domain, string path) = SplitDomain(rest);
        if ((digest is not null && !IsDigest(digest))
            || (tag is not null && !IsTag(tag))
            || !IsDomain(domain)
            || path.Length == 0
            || domain.Length + 1 + path.Length > MaxNameLength
            || !path.Split('/').All(IsPathComponent))
        {
            return false;
        }
        reference = new(domain, path, tag, digest);
        return true;
    }

    /// <summary>The name as people know it: what is implied is left out.</summary>
    public string Familiar
    {
        get
        {
            string name = Domain != DefaultDomain ? Repository
                : Path.StartsWith("library/", StringComparison.Ordinal) && Path.IndexOf('/', "library/".Length) < 0 ? Path["library/".Length..]
                : Path;
            return name + Suffix;
        }
    }

    /// <summary>The whole name with everything that was implied but the tag.</summary>
    public override string ToString() => Repository + Suffix;

    private string Suffix => (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    private static (string Head, string? Tail) Cut(string text, int at) => at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);

    private static (string Domain, string Path) SplitDomain(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        bool hasDomain = slash >= 0
            && (name.AsSpan(0, slash).IndexOfAny('.', ':') >= 0 || name.AsSpan(0, slash) is "localhost" || name[..slash].Any(char.IsAsciiLetterUpper));
        (string domain, string path) = hasDomain ? (name[..slash], name[(slash + 1)..]) : (DefaultDomain, name);
        if (domain == "index.docker.io")
        {
            domain = DefaultDomain;
        }
        return domain == DefaultDomain && path.Length > 0 && !path.Contains('/', StringComparison.Ordinal) ? (domain, "library/" + path) : (domain, path);
    }

    // 64 hexadecimal digits are an image's id, never a name.
    private static bool IsBareId(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    private static bool IsDomain(string domain)
    {
        (string host, string? port) = domain.StartsWith('[') && domain.IndexOf(']', StringComparison.Ordinal) is > 0 and int end
            ? (domain[..(end + 1)], end + 1 < domain.Length ? domain[(end + 1)..].TrimStart(':') : null)
            : Cut(domain, domain.IndexOf(':', StringComparison.Ordinal));
        if (port is not null && (port.Length == 0 || !port.All(char.IsAsciiDigit)))
        {
            return false;
        }
        return host.StartsWith('[')
            ? System.Net.IPAddress.TryParse(host, out _)
            : host.Split('.').All(label => label.Length > 0 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
    }

    // Lower-case letters and digits, with one dot, one or two underscores or any dashes between them.
    private static bool IsPathComponent(string component)
    {
        if (component.Length == 0 || !IsLowerAlphaNumeric(component[0]) || !IsLowerAlphaNumeric(component[^1]))
        {
            return false;
        }
        for (int i = 0; i < component.Length;)
        {
            int start = i;
            while (i < component.Length && !IsLowerAlphaNumeric(component[i]))
            {
                i++;
            }
            ReadOnlySpan<char> separator = component.AsSpan(start, i - start);
            if (!(separator is "" or "." or "_" or "__" || separator.IndexOfAnyExcept('-') < 0))
            {
                return false;
            }
            while (i < component.Length && IsLowerAlphaNumeric(component[i]))
            {
                i++;
            }
        }
        return true;
    }

    private static bool IsLowerAlphaNumeric(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);

    private static bool IsTag(string tag) =>
        tag.Length is > 0 and <= MaxTagLength
        && tag[0] is not '.' and not '-'
        && tag.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private static bool IsDigest(string digest)
    {
        (string algorithm, string? hash) = Cut(digest, digest.IndexOf(':', StringComparison.Ordinal));
        int length = algorithm switch { "sha256" => 64, "sha384" => 96, "sha512" => 128, _ => 0 };
        return hash is not null && length > 0 && hash.Length == length && hash.All(char.IsAsciiHexDigitLower);
    }
}
