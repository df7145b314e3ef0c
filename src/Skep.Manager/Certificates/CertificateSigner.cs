using Docker.Swarmkit.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Skep.Identity.Certificates;
using Skep.Manager.Loops;
using Skep.Store;
using State = Docker.Swarmkit.V1.IssuanceStatus.Types.State;

namespace Skep.Manager.Certificates;

/// <summary>
/// Signs what nodes ask for: every node whose certificate is PENDING (and which is accepted) or in RENEW gets one for the
/// role in its request, and becomes ISSUED, or FAILED with the reason.
/// </summary>
public sealed class CertificateSigner : ManagerLoop
{
    /// <summary>How many may wait for their certificates at once.</summary>
    internal const int MaxWaiters = 5_000;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);
    private readonly ClusterStore _store;
    private (RootCA Source, RootCa Root)? _root;

    /// <summary>A signer over this store; it signs while it is started.</summary>
    public CertificateSigner(ClusterStore store, TimeProvider time, ILogger<CertificateSigner> logger)
        : base(time, logger) => _store = store;

    internal CertificateWaiters Waiters { get; } = new(MaxWaiters);

    /// <inheritdoc />
    protected override async Task RunAsync(CancellationToken ct)
    {
        var (wanted, subscription) = _store.ReadAndSubscribe(
            view => view.List<Node>().Where(CertificateStates.IsWanted).Select(n => n.Id).ToHashSet(StringComparer.Ordinal));
        using (subscription)
        {
            // What was signed while this loop was not looking.
            Waiters.SignalAll();
            while (true)
            {
                if (await SignAsync(wanted, ct))
                {
                    wanted.Clear();
                    await GatherAsync(subscription, wanted, Timeout.InfiniteTimeSpan, ct);
                }
                else
                {
                    var end = Time.GetUtcNow() + RetryInterval;
                    while (end - Time.GetUtcNow() is { Ticks: > 0 } left)
                    {
                        await GatherAsync(subscription, wanted, left, ct);
                    }
                }
            }
        }
    }

    private async Task GatherAsync(StoreSubscription subscription, HashSet<string> wanted, TimeSpan patience, CancellationToken ct)
    {
        try
        {
            if (!await subscription.Commits.WaitToReadAsync(ct).AsTask().WaitAsync(patience, Time, ct))
            {
                throw new StoreLaggedException();
            }
        }
        catch (TimeoutException)
        {
            return;
        }

        while (subscription.Commits.TryRead(out var commit))
        {
            foreach (var change in commit.Changes)
            {
                if (change.Object is Node node)
                {
                    Note(change.Kind, node, wanted);
                }
            }
        }
    }

    private void Note(StoreChangeKind kind, Node node, HashSet<string> wanted)
    {
        if (kind == StoreChangeKind.Remove)
        {
            wanted.Remove(node.Id);
            Waiters.Signal(node.Id);
        }
        else if (CertificateStates.IsWanted(node))
        {
            wanted.Add(node.Id);
        }
        else if (CertificateStates.IsFinal(node))
        {
            Waiters.Signal(node.Id);
        }
    }

    /// <summary>False when nothing could be signed and it is worth another try.</summary>
    private async Task<bool> SignAsync(HashSet<string> wanted, CancellationToken ct)
    {
        if (wanted.Count == 0)
        {
            return true;
        }

        var (cluster, nodes) = _store.Read(view => (
            ClusterObject.Find(view),
            wanted.Select(view.Get<Node>).OfType<Node>().Where(CertificateStates.IsWanted).ToList()));
        if (nodes.Count == 0)
        {
            return true;
        }

        if (Root(cluster, out var reason) is not { } root)
        {
            CertificateLog.NoSigner(Logger, nodes.Count, reason);
            return false;
        }

        var expiry = ClusterObject.CertificateExpiry(cluster!);
        var signed = nodes.Select(node => (Node: node, Result: Sign(root, node, cluster!.Id, expiry))).ToList();
        await _store.BatchAsync(signed, static (tx, item) => Apply(tx, item.Node, item.Result), ct);
        foreach (var (node, result) in signed)
        {
            Report(node.Id, result);
        }

        return true;
    }

    private Certificate Sign(RootCa root, Node node, string clusterId, TimeSpan expiry)
    {
        var result = node.Certificate.Clone();
        try
        {
            var pem = root.Sign(result.Csr.Span, node.Id, result.Role, clusterId, expiry, Time.GetUtcNow());
            result.Certificate_ = ByteString.CopyFrom(pem);
            result.Status = new IssuanceStatus { State = State.Issued };
        }
        catch (CertificateException e)
        {
            result.Status = new IssuanceStatus { State = State.Failed, Err = e.Message };
        }

        return result;
    }

    // A node that has asked again meanwhile is not answered with what it asked before.
    private static void Apply(WriteTransaction tx, Node asked, Certificate result)
    {
        if (tx.Get<Node>(asked.Id) is { } node && asked.Certificate.Equals(node.Certificate))
        {
            var updated = node.Clone();
            updated.Certificate = result;
            tx.Update(updated);
        }
    }

    private void Report(string nodeId, Certificate result)
    {
        if (result.Status.State == State.Failed)
        {
            CertificateLog.NotSigned(Logger, nodeId, result.Status.Err);
        }
        else
        {
            CertificateLog.Issued(Logger, nodeId, RoleNames.Of(result.Role));
        }
    }

    private RootCa? Root(Cluster? cluster, out string reason)
    {
        reason = "there is no cluster object yet";
        if (cluster?.RootCa is not { } source)
        {
            return null;
        }

        try
        {
            if (_root is not { } known || !known.Source.Equals(source))
            {
                _root = (source, ClusterObject.SigningRoot(source));
            }
        }
        catch (CertificateException e)
        {
            reason = e.Message;
            return null;
        }

        reason = "it has no key";
        return _root.Value.Root.CanSign ? _root.Value.Root : null;
    }
}
