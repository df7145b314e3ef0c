using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Snapshots;

/// <summary>A session as a snapshot has it.</summary>
internal readonly record struct SessionRecord(
    long Id, ReadOnlyMemory<byte> Password, int TimeoutMs, long Token, int Epoch, long LastRequest, IReadOnlyList<AclId> Identities) : IJuteRecord<SessionRecord>
{
    public static SessionRecord Of(long id, Session s) => new(id, s.Password, s.TimeoutMs, s.Token, s.Epoch, s.LastRequest, [.. s.Identities]);

    public Session ToSession()
    {
        var session = new Session(Password.ToArray()) { TimeoutMs = TimeoutMs, Token = Token, Epoch = Epoch, LastRequest = LastRequest };
        session.Identities.AddRange(Identities);
        return session;
    }

    public static SessionRecord Read(ref JuteReader reader) => new(
        reader.ReadLong(), reader.ReadBuffer().GetValueOrDefault(), reader.ReadInt(), reader.ReadLong(), reader.ReadInt(), reader.ReadLong(),
        reader.ReadRecords<AclId>(8));

    public void Write(ref JuteWriter writer)
    {
        writer.WriteLong(Id);
        writer.WriteBuffer(Password);
        writer.WriteInt(TimeoutMs);
        writer.WriteLong(Token);
        writer.WriteInt(Epoch);
        writer.WriteLong(LastRequest);
        writer.WriteRecords(Identities);
    }
}
