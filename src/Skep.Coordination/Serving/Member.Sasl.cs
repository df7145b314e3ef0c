using Microsoft.Extensions.Logging;
using Skep.Coordination.Access;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    private const int NonceBytes = 24;

    // Whatever comes first is answered by a challenge, as ZooKeeper does, and the answer to that by the proof that this side knows the
    // password too.
    private void StepSasl(Connection connection, RequestHeader header, SaslToken token, long nowMs)
    {
        if (_options.PasswordOf is null)
        {
            // As ZooKeeper does where it knows nobody: the client goes on as who it was.
            TellSasl(connection, header, null, nowMs);
            return;
        }
        string? nonce = connection.SaslNonce;
        connection.SaslNonce = null;
        try
        {
            if (!connection.Peer.MayProveByPassword)
            {
                throw new SaslRefusedException("the connection can be overheard: SASL is spoken over TLS or on the loopback");
            }
            if (nonce is null)
            {
                Span<byte> chance = stackalloc byte[NonceBytes];
                _options.Fill(chance);
                connection.SaslNonce = Convert.ToBase64String(chance);
                TellSasl(connection, header, DigestMd5.Challenge(connection.SaslNonce), nowMs);
                return;
            }
            (string user, byte[] proof) = DigestMd5.Answer(token.Token.GetValueOrDefault().Span, nonce, _options.PasswordOf);
            if (connection.IsReadOnly)
            {
                connection.OwnIdentities = [.. connection.OwnIdentities.Append(new AclId("sasl", user)).Distinct()];
                TellSasl(connection, header, proof, nowMs);
                return;
            }
            AddWrite(connection, header.Xid, OpCode.Auth, Encode(new AclId("sasl", user)), nowMs, proof);
        }
        catch (SaslRefusedException e)
        {
            _effects.Notices.Add(log => LogNotProved(log, connection.Peer.Endpoint, e.Message));
            connection.Reply(header.Xid, 0, ErrorCode.AuthFailed, new SaslToken(null), static (SaslToken t, ref JuteWriter w) => t.Write(ref w));
            Close(connection);
        }
    }

    private void TellSasl(Connection connection, RequestHeader header, byte[]? token, long nowMs) =>
        AddRead(connection, header.Xid, OpCode.Sasl, Encode(new SaslToken(token)), nowMs);

    [LoggerMessage(EventId = 2406, Level = LogLevel.Warning, Message = "The coordination client at {Endpoint} did not prove who it is: {Reason}")]
    private static partial void LogNotProved(ILogger logger, string endpoint, string reason);
}
