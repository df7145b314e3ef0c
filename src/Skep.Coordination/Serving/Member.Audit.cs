using Skep.Coordination.Auditing;
using Skep.Coordination.Replication;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    private const int MaxOrphanSizeBytes = 16 * 1024 * 1024;

    // Writes on their way whose connection is gone: whoever hangs up is told of all the same. One connection of a session at a time has any.
    private readonly Dictionary<long, Orphans> _orphans = [];
    private int _orphanSizeBytes;

    // The member whose client it is tells, as with ZooKeeper.
    private void AuditRequest(Connection connection, PendingRequest request, in Answer answer) =>
        AuditWrite(connection.SessionId, connection.Peer.Address, request, answer);

    private void AuditWrite(long sessionId, string address, PendingRequest request, Answer? answer)
    {
        if (_options.Audit is { } audit && IsAudited(request))
        {
            foreach (string line in AuditLines.OfRequest(sessionId, IdentitiesOf(sessionId), address, request.Op, Write.BodyOf(request.Write!), answer))
            {
                audit(line);
            }
        }
    }

    private static bool IsAudited(PendingRequest request) => request is { Write: not null, IsSent: true, Op: not (OpCode.Auth or OpCode.CloseSession) };

    // Its connection is about to forget it.
    private void AuditLater(Connection connection)
    {
        if (_options.Audit is null || !connection.Pending.Any(IsAudited))
        {
            return;
        }
        DropOrphans(connection.SessionId);
        var orphans = new Orphans(connection.Peer.Address, connection.Epoch, new());
        foreach (PendingRequest request in connection.Pending.Where(IsAudited))
        {
            if (_orphanSizeBytes + request.SizeBytes > MaxOrphanSizeBytes)
            {
                AuditWrite(connection.SessionId, orphans.Address, request, answer: null);
                continue;
            }
            orphans.Requests.Enqueue(request);
            _orphanSizeBytes += request.SizeBytes;
        }
        _orphans[connection.SessionId] = orphans;
    }

    private void AuditOrphan(long sessionId, int epoch, long number, in Answer answer)
    {
        if (!_orphans.TryGetValue(sessionId, out Orphans? orphans) || orphans.Epoch != epoch)
        {
            return;
        }
        while (orphans.Requests.TryPeek(out PendingRequest? first) && first.Number <= number)
        {
            orphans.Requests.Dequeue();
            _orphanSizeBytes -= first.SizeBytes;
            if (first.Number == number)
            {
                AuditWrite(sessionId, orphans.Address, first, answer);
            }
        }
    }

    // Taken up by another connection, or over: what was not applied by now never will be.
    private void DropOrphans(long sessionId)
    {
        if (_orphans.Remove(sessionId, out Orphans? orphans))
        {
            _orphanSizeBytes -= orphans.Requests.Sum(static r => r.SizeBytes);
        }
    }

    // A tree was taken over as a whole, and what led to it is not told.
    private void AuditUntold()
    {
        foreach ((long sessionId, Orphans orphans) in _orphans)
        {
            foreach (PendingRequest request in orphans.Requests)
            {
                AuditWrite(sessionId, orphans.Address, request, answer: null);
            }
        }
        _orphans.Clear();
        _orphanSizeBytes = 0;
    }

    // An expired session has no connection anywhere, so that all members tell of its ephemerals.
    private void AuditEnd(long sessionId, IReadOnlyList<Change> changes)
    {
        DropOrphans(sessionId);
        if (_options.Audit is { } audit)
        {
            foreach (Change gone in changes.Where(static c => c.Kind == ChangeKind.Deleted))
            {
                audit(AuditLines.OfEphemeral(sessionId, gone.Path));
            }
        }
    }

    private sealed record Orphans(string Address, int Epoch, Queue<PendingRequest> Requests);
}
