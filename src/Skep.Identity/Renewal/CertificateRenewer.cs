using System.Threading.Channels;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Identity.Joining;

namespace Skep.Identity.Renewal;

/// <summary>
/// Keeps a node's certificate fresh: renews it at a random point of its life, when a manager asks for it, and when the
/// node's role has changed, for the role is in the certificate.
/// </summary>
/// <param name="source">Whose certificate.</param>
/// <param name="renew">Gets a new one and puts it in force, as <see cref="NodeCertificateClient.RenewAsync"/> does.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Draws the points; seeded.</param>
/// <param name="logger">Says what failed.</param>
public sealed class CertificateRenewer(
    NodeIdentitySource source,
    Func<CancellationToken, Task<NodeIdentity>> renew,
    TimeProvider time,
    Random random,
    ILogger<CertificateRenewer> logger)
{
    private static readonly TimeSpan MinRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxRetry = TimeSpan.FromHours(1);

    // Timers do not reach further than some weeks.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Channel<bool> _wanted = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // -1: whatever the manager gives.
    private int _expectedRole = -1;

    /// <summary>Renews now, for instance because a manager set the certificate's state to ROTATE.</summary>
    public void RenewNow() => _wanted.Writer.TryWrite(true);

    /// <summary>Renews until the certificate gives this role; does nothing when it does already.</summary>
    public void ExpectRole(NodeRole role)
    {
        Volatile.Write(ref _expectedRole, (int)role);
        if (source.Current.Role != role)
        {
            RenewNow();
        }
    }

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var failures = 0;
        while (true)
        {
            var certificate = source.Current.Certificate;
            await WaitAsync(
                failures > 0
                    ? RetryDelay(failures)
                    : RenewalSchedule.Delay(certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime(), time.GetUtcNow(), random),
                ct);
            failures = await TryAsync(failures, ct) ? 0 : failures + 1;
        }
    }

    private async Task<bool> TryAsync(int failures, CancellationToken ct)
    {
        string reason;
        try
        {
            var identity = await renew(ct);
            var expected = Volatile.Read(ref _expectedRole);
            if (expected < 0 || (int)identity.Role == expected)
            {
                return true;
            }

            reason = $"the new certificate is for role {identity.Role}, expected {(NodeRole)expected}";
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            reason = e.Message;
        }

        JoinLog.RenewalFailed(logger, reason, RetryDelay(failures + 1).TotalMilliseconds);
        return false;
    }

    private async Task WaitAsync(TimeSpan delay, CancellationToken ct)
    {
        var due = time.GetUtcNow() + delay;
        while (due - time.GetUtcNow() is { Ticks: > 0 } left)
        {
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var timer = Task.Delay(left < LongestWait ? left : LongestWait, time, waiting.Token);
            var wanted = _wanted.Reader.WaitToReadAsync(waiting.Token).AsTask();
            var first = await Task.WhenAny(timer, wanted);
            await waiting.CancelAsync();
            ct.ThrowIfCancellationRequested();
            if (first == wanted)
            {
                break;
            }
        }

        _wanted.Reader.TryRead(out _);
    }

    /// <summary>5, 10, 20 s … 1 h.</summary>
    private static TimeSpan RetryDelay(int failures)
    {
        var delay = MinRetry * Math.Pow(2, Math.Min(failures - 1, 20));
        return delay < MaxRetry ? delay : MaxRetry;
    }
}
