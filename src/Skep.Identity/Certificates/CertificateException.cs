namespace Skep.Identity.Certificates;

/// <summary>A certificate, a request for one or a key that cannot be used; the message says which and why.</summary>
public sealed class CertificateException : Exception
{
    /// <summary>Says what was wrong.</summary>
    public CertificateException(string message)
        : base(message)
    {
    }

    /// <summary>Says what was wrong and what lies beneath.</summary>
    public CertificateException(string message, Exception cause)
        : base(message, cause)
    {
    }

    /// <summary>For serializers; prefer the others.</summary>
    public CertificateException()
    {
    }
}
