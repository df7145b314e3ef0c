using Skep.Coordination.Auditing;
using Skep.Coordination.Replication;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    // The member whose client it is tells, as with ZooKeeper.
    private void AuditRequest(Connection connection, PendingRequest request, in Answer answer)
    {
        if (_options.Audit is { } audit && request is { Write: { } write, Op: not (OpCode.Auth or OpCode.CloseSession) })
        {
            foreach (string line in AuditLines.OfRequest(
                connection.SessionId, IdentitiesOf(connection.SessionId), connection.Peer.Address, request.Op, Write.BodyOf(write), answer))
            {
                audit(line);
            }
        }
    }

    // An expired session has no connection anywhere, so that all members tell of its ephemerals.
    private void AuditEnd(long sessionId, IReadOnlyList<Change> changes)
    {
        if (_options.Audit is { } audit)
        {
            foreach (Change gone in changes.Where(static c => c.Kind == ChangeKind.Deleted))
            {
                audit(AuditLines.OfEphemeral(sessionId, gone.Path));
            }
        }
    }
}
