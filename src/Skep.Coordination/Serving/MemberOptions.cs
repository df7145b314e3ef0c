using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Jute;

namespace Skep.Coordination.Serving;

/// <summary>How a member serves its clients.</summary>
internal sealed record MemberOptions
{
    /// <summary>The shortest and longest time-outs that sessions get, in ms: ZooKeeper's, 2 and 20 of its ticks.</summary>
    public const int LeastTimeoutMs = 4_000;

    public const int LongestTimeoutMs = 40_000;

    /// <summary>Whether every read is as one that follows a sync.</summary>
    public bool LinearizableReads { get; init; }

    /// <summary>The longest frame that is taken from a client (<c>jute.maxbuffer</c>).</summary>
    public int MaxFrameBytes { get; init; } = JuteFrame.DefaultMaxBytes;

    /// <summary>Whether hard quotas refuse writes while this member leads.</summary>
    public bool EnforceQuotas { get; init; }

    /// <summary>The password of a user who may prove by SASL who it is, null for nobody's; null where SASL is not spoken.</summary>
    public Func<string, string?>? PasswordOf { get; init; }

    /// <summary>Takes a line of the audit log, at once; null where none is kept.</summary>
    public Action<string>? Audit { get; init; }

    /// <summary>Where messages go.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>A clock that only goes forward, in ms.</summary>
    public required Func<long> NowMs { get; init; }

    /// <summary>The time of day, in ms since 1970.</summary>
    public required Func<long> WallMs { get; init; }

    /// <summary>Fills bytes with chance: session numbers and passwords are guessed by nobody.</summary>
    public Action<Span<byte>> Fill { get; init; } = static bytes => RandomNumberGenerator.Fill(bytes);

    /// <summary>Four-letter words that are answered.</summary>
    public IReadOnlySet<string> Words { get; init; } = new HashSet<string>();

    /// <summary>What the word <c>conf</c> tells: one name=value a line.</summary>
    public Func<string> Settings { get; init; } = static () => "";
}
