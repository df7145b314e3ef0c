using Skep.Coordination.Replication;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    private void BarrierDone(List<(Connection Connection, PendingRequest Request)> waiting, bool done)
    {
        Effects effects;
        lock (_gate)
        {
            foreach ((Connection connection, PendingRequest request) in waiting)
            {
                if (!done)
                {
                    _barriersAgain.Add((connection, request));
                    continue;
                }
                request.HasBarrier = true;
                if (connection.State == ConnectionState.Open)
                {
                    connection.OpenBarriers--;
                    Advance(connection);
                }
            }
            effects = TakeEffects();
        }
        Do(effects);
    }

    void IOutcomes.Answered(long sessionId, int epoch, long number, in Answer answer)
    {
        if (!_local.TryGetValue(sessionId, out Connection? connection) || connection.Epoch != epoch || connection.State != ConnectionState.Open)
        {
            AuditOrphan(sessionId, epoch, number, answer);
            return;
        }
        if (!connection.Pending.TryPeek(out PendingRequest? first) || first.Number != number)
        {
            // Never, if all holds; an answer in the wrong place would be worse than none.
            Close(connection);
            return;
        }
        Dequeue(connection);
        long nowMs = _options.NowMs();
        AuditRequest(connection, first, answer);
        connection.SentMs = nowMs;
        connection.ResendAfterMs = connection.Pending.Count == 0 ? 0 : LeastResendMs;
        if (first.Proof is not null)
        {
            connection.Reply(first.Xid, answer.Zxid, answer.Err, new SaslToken(first.Proof), static (SaslToken t, ref JuteWriter w) => t.Write(ref w));
        }
        else
        {
            connection.Reply(first.Xid, answer.Zxid, answer.Err, answer, static (Answer a, ref JuteWriter w) => a.WriteBody(ref w));
        }
        _figures.Took(nowMs - first.CameMs);
        MarkDirty(connection);
        Advance(connection);
    }

    void IOutcomes.Changed(Tree.Change change)
    {
        if (_watches.Count == 0)
        {
            return;
        }
        foreach (Watches.WatchEvent fired in _watches.Fire(change, MayRead))
        {
            if (_local.TryGetValue(fired.SessionId, out Connection? connection))
            {
                Tell(connection, fired);
            }
        }
    }

    private void Tell(Connection connection, Watches.WatchEvent fired)
    {
        const int EventXid = -1;
        const int Connected = 3;
        connection.Reply(EventXid, -1, ErrorCode.Ok, fired, static (Watches.WatchEvent e, ref JuteWriter w) => new WatcherEvent(e.Type, Connected, e.Path).Write(ref w));
        _figures.WatchesFired++;
        MarkDirty(connection);
        if (connection.OutLength > MostOutBytes)
        {
            Close(connection);
        }
    }

    private bool MayRead(long sessionId, IReadOnlyList<Acl> acl) =>
        acl.Count == 0 || Access.AccessRules.Allows(acl, Access.Permissions.Read, _local.TryGetValue(sessionId, out Connection? connection) ? IdentitiesOf(connection) : []);

    private IReadOnlyList<AclId> IdentitiesOf(Connection connection) => connection.IsReadOnly ? connection.OwnIdentities : IdentitiesOf(connection.SessionId);

    private IReadOnlyList<AclId> IdentitiesOf(long sessionId) =>
        Tree.Sessions.TryGetValue(sessionId, out Tree.Session? session) ? session.Identities
        : _local.TryGetValue(sessionId, out Connection? connection) ? connection.Peer.Identities : [];
}
