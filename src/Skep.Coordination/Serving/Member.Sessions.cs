using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    private const int PasswordBytes = 16;
    private const int AuthXid = -4;

    // Far more than any name with its password: what is proved is kept with the session, and what is no UTF-8 grows on the way there.
    private const int MostProofLength = 64 * 1024;

    private void BeginSession(Connection connection, ConnectRequest asked, long nowMs)
    {
        connection.Asked = asked with { Password = null };
        connection.TimeoutMs = Math.Clamp(asked.TimeoutMs, MemberOptions.LeastTimeoutMs, MemberOptions.LongestTimeoutMs);
        if (asked.ReadOnly == true && IsCutOff(nowMs))
        {
            BeginReadOnly(connection, asked);
            return;
        }
        connection.State = ConnectionState.Attaching;
        connection.Token = Number();
        connection.SentMs = nowMs;
        connection.ResendAfterMs = LeastResendMs;
        _attaching[connection.Token] = connection;
        var claim = new SessionClaim(connection.Token, connection.TimeoutMs, connection.Peer.Identities);
        if (asked.SessionId == 0)
        {
            byte[] password = new byte[PasswordBytes];
            _options.Fill(password);
            connection.AttachWrite = Write.Open(Number(), password, claim);
        }
        else
        {
            connection.AttachWrite = Write.Attach(asked.SessionId, asked.Password.GetValueOrDefault(), claim);
        }
        Submit(connection.AttachWrite);
    }

    // Of this member alone, for a client that would rather read what may be old than nothing: it ends when there is a leader again.
    private void BeginReadOnly(Connection connection, ConnectRequest asked)
    {
        bool known = Tree.Sessions.TryGetValue(asked.SessionId, out Session? session)
            && CryptographicOperations.FixedTimeEquals(asked.Password.GetValueOrDefault().Span, session.Password);
        // Who has no session either may have read elsewhere, and is not shown less.
        if (asked.LastZxidSeen > Tree.LastZxid || (asked.SessionId != 0 && (!known || _local.ContainsKey(asked.SessionId))))
        {
            Close(connection);
            return;
        }
        connection.IsReadOnly = true;
        connection.SessionId = known ? asked.SessionId : Number();
        connection.State = ConnectionState.Open;
        _local[connection.SessionId] = connection;
        Accepted(connection, known ? session!.Password : new byte[PasswordBytes]);
    }

    void IOutcomes.Attached(long token, long sessionId, Session? session)
    {
        if (session is not null)
        {
            if (_local.TryGetValue(sessionId, out Connection? before) && before.Token != token)
            {
                // The session has moved on to another connection, here or elsewhere.
                Close(before);
            }
            DropOrphans(sessionId);
            if (_seen.Leads)
            {
                // Elsewhere nobody would let go of a deadline whose session ended within a snapshot that was taken over.
                _expiry.Set(sessionId, session.TimeoutMs, _options.NowMs());
            }
        }
        if (!_attaching.Remove(token, out Connection? connection))
        {
            return;
        }
        connection.AttachWrite = null;
        connection.ResendAfterMs = 0;
        if (session is null)
        {
            connection.TimeoutMs = 0;
            Accepted(connection, new byte[PasswordBytes]);
            Close(connection);
            return;
        }
        if (connection.Asked.LastZxidSeen > Tree.LastZxid)
        {
            // It has seen what this group never had.
            Close(connection);
            return;
        }
        long nowMs = _options.NowMs();
        _contactMs = nowMs;
        connection.SessionId = sessionId;
        connection.Epoch = session.Epoch;
        connection.State = ConnectionState.Open;
        _local[sessionId] = connection;
        Accepted(connection, session.Password);
    }

    void IOutcomes.Ended(long sessionId, IReadOnlyList<Change> changes)
    {
        _expiry.Remove(sessionId);
        AuditEnd(sessionId, changes);
        if (_local.TryGetValue(sessionId, out Connection? connection))
        {
            Close(connection);
        }
    }

    private void Accepted(Connection connection, byte[] password)
    {
        bool? readOnly = connection.Asked.ReadOnly is null ? null : connection.IsReadOnly;
        connection.Send(JuteFrame.Make(output => JuteFrame.Put(output, new ConnectResponse(
            0, connection.TimeoutMs, connection.TimeoutMs == 0 ? 0 : connection.SessionId, password, readOnly))));
        connection.Figures.Sent++;
        MarkDirty(connection);
    }

    private void Authenticate(Connection connection, RequestHeader header, AuthPacket packet, long nowMs)
    {
        string? proof = packet.Auth is { } auth ? Encoding.UTF8.GetString(auth.Span) : null;
        switch (packet.Scheme)
        {
            case "digest" when connection.Peer.MayProveByPassword && proof is { Length: <= MostProofLength }:
                var identity = new AclId("digest", Digest(proof));
                if (connection.IsReadOnly)
                {
                    connection.OwnIdentities = [.. connection.OwnIdentities.Append(identity).Distinct()];
                    connection.Reply(header.Xid, 0, ErrorCode.Ok);
                    MarkDirty(connection);
                    break;
                }
                AddWrite(connection, header.Xid, OpCode.Auth, Encode(identity), nowMs);
                break;
            case "ip" or "x509":
                // Known already, and nothing that could be said here would change it.
                connection.Reply(header.Xid, 0, ErrorCode.Ok);
                MarkDirty(connection);
                break;
            case "skep" when proof is "reads=linearizable" or "reads=sequential":
                connection.IsLinearizable = proof == "reads=linearizable";
                connection.Reply(header.Xid, 0, ErrorCode.Ok);
                MarkDirty(connection);
                break;
            default:
                connection.Reply(header.Xid, 0, ErrorCode.AuthFailed);
                Close(connection);
                break;
        }
    }

    /// <summary>user:password as ACLs have it: user:base64(SHA-1(user:password)).</summary>
    private static string Digest(string proof)
    {
#pragma warning disable CA5350 // ZooKeeper's digest scheme is SHA-1.
        return proof.Split(':')[0] + ":" + Convert.ToBase64String(SHA1.HashData(Encoding.UTF8.GetBytes(proof)));
#pragma warning restore CA5350
    }

    private static byte[] Encode<T>(T record) where T : IJuteRecord<T>
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        JuteFrame.Put(bytes, record);
        return bytes.WrittenSpan.ToArray();
    }

    private long Number()
    {
        Span<byte> bytes = stackalloc byte[8];
        long number = 0;
        while (number == 0)
        {
            _options.Fill(bytes);
            number = BinaryPrimitives.ReadInt64BigEndian(bytes) & long.MaxValue;
        }
        // Owners of containers and of times to live are told by their highest bits.
        return number & ~Node.TtlMask;
    }
}
