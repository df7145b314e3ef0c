using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Coordination;

/// <summary>How a member serves clients of ZooKeeper's protocol.</summary>
public sealed record CoordinationOptions
{
    /// <summary>This member of the group.</summary>
    public required ulong MemberId { get; init; }

    /// <summary>Where clients are served; null serves none here: the member takes part in the group all the same.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Whether reads are never out of date, as if each followed a <c>sync</c> (Chubby's rule); a session may choose for itself.</summary>
    public bool LinearizableReads { get; init; }

    /// <summary>How connections are secured, asked for at each of them; null for not at all.</summary>
    public Func<SslServerAuthenticationOptions>? Tls { get; init; }

    /// <summary>Whose certificate, already verified, is a superuser's.</summary>
    public Func<X509Certificate2, bool> IsSuperuser { get; init; } = static _ => false;

    /// <summary>Whether passwords are taken on connections that can be overheard.</summary>
    public bool AllowPasswordsInClear { get; init; }

    /// <summary>The passwords of users who may prove by SASL (DIGEST-MD5) who they are; null where SASL is not spoken.</summary>
    public IReadOnlyDictionary<string, string>? SaslUsers { get; init; }

    /// <summary>The file of the audit log: what this member's clients wrote and tried to write; null for none.</summary>
    public string? AuditFile { get; init; }

    /// <summary>Four-letter words that are answered.</summary>
    public IReadOnlySet<string> Words { get; init; } = DefaultWords;

    /// <summary>Connections that one address may have; 0 for any number.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 60;

    /// <summary>The longest request that is taken, in bytes (ZooKeeper's <c>jute.maxbuffer</c>); 1,024 to <see cref="MostBufferBytes"/>.</summary>
    public int MaxBufferBytes { get; init; } = Jute.JuteFrame.DefaultMaxBytes;

    /// <summary>The most that <see cref="MaxBufferBytes"/> may be: with what the group writes around it, a request is one entry of 4 MiB of the managers' log.</summary>
    public const int MostBufferBytes = (4 * 1024 * 1024) - 1024;

    /// <summary>The least that it may be: what begins a session fits into it.</summary>
    public const int LeastBufferBytes = 1024;

    /// <summary>Whether hard quotas refuse writes while this member leads (ZooKeeper's <c>enforceQuota</c>).</summary>
    public bool EnforceQuotas { get; init; }

    /// <summary>What is answered unless told otherwise: what tells how a member is, and nothing of its clients.</summary>
    public static IReadOnlySet<string> DefaultWords { get; } = new HashSet<string> { "srvr", "ruok", "isro", "mntr" };

    /// <summary>All four-letter words there are.</summary>
    public static IReadOnlySet<string> AllWords => Serving.FourLetterWords.All;
}
