using System.Net.Security;
using Microsoft.Extensions.Logging;
using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>Where a client connects to, and how. A record, so that what <see cref="Parse"/> gives can be changed by <c>with</c>.</summary>
public sealed record CoordinationClientOptions
{
    /// <summary>The port where a server of the connect string names none.</summary>
    public const int DefaultPort = 2181;

    /// <summary>The servers as host:port; they are tried in a shuffled order.</summary>
    public required IReadOnlyList<string> Servers { get; init; }

    /// <summary>A path that is put before every path of this client and cut off every answer; empty for none.</summary>
    public string Chroot { get; init; } = "";

    /// <summary>The session timeout asked for, in ms; the server has the last word (<see cref="CoordinationClient.SessionTimeoutMs"/>).</summary>
    public int SessionTimeoutMs { get; init; } = 30_000;

    /// <summary>How long <see cref="CoordinationClient.ConnectAsync(CoordinationClientOptions, CancellationToken)"/> tries, over all servers together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Whether a server that has lost its majority, and only answers reads, is good enough.</summary>
    public bool ReadOnlyAllowed { get; init; }

    /// <summary>Identities, sent on each new connection before anything else.</summary>
    public IReadOnlyList<AuthInfo> Auth { get; init; } = [];

    /// <summary>Set for TLS. Where it has no target host, the server's name is checked.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Sends reads again after a reconnect if they were not answered, eight times at most; writes never are.</summary>
    public bool RetryReads { get; init; } = true;

    /// <summary>Requests that may wait or be under way at once; whoever comes next waits for one to end.</summary>
    public int MaxOutstandingRequests { get; init; } = 4096;

    /// <summary>The longest answer taken, in bytes. Lists of children may be longer than a server's own limit for requests.</summary>
    public int MaxFrameBytes { get; init; } = 4 * (JuteFrame.DefaultMaxBytes + 1);

    /// <summary>The clock, for tests.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where connections made and lost are told of; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Makes the order of servers and the jitter repeat themselves, for tests.</summary>
    public int? Seed { get; init; }

    /// <summary>Reads a connect string: <c>a:2181,b,[::1]:2181/chroot</c>.</summary>
    /// <exception cref="FormatException">It is none; the message says what is wrong.</exception>
    public static CoordinationClientOptions Parse(string connectString) => ConnectString.Parse(connectString);
}

/// <summary>An identity to show to the servers, for example scheme <c>digest</c> with <c>name:password</c> in UTF-8.</summary>
public sealed record AuthInfo(string Scheme, ReadOnlyMemory<byte> Proof)
{
    /// <summary>A name with its password.</summary>
    public static AuthInfo Digest(string name, string password) => new("digest", System.Text.Encoding.UTF8.GetBytes($"{name}:{password}"));

    /// <summary>Says the scheme only: the proof is a secret.</summary>
    public override string ToString() => Scheme;
}
