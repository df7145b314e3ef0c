using Skep.Jute;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>Reads the record of one transaction: a header, a body by its type, and perhaps a digest that nobody needs.</summary>
internal static class TransactionReader
{
    /// <exception cref="JuteFormatException">It is no such record.</exception>
    public static LoggedTransaction Read(ReadOnlyMemory<byte> record)
    {
        var reader = new JuteReader(record);
        long session = reader.ReadLong();
        reader.ReadInt();
        long zxid = reader.ReadLong(), time = reader.ReadLong();
        var type = (OpCode)reader.ReadInt();
        var changes = new List<LoggedChange>();
        if (type == OpCode.Multi)
        {
            ReadParts(ref reader, session, changes);
        }
        else
        {
            ReadBody(type, ref reader, session, changes);
        }
        return new LoggedTransaction(session, zxid, time, changes);
    }

    // A multi in which one part failed did nothing.
    private static void ReadParts(ref JuteReader reader, long session, List<LoggedChange> changes)
    {
        bool failed = false;
        for (int left = reader.ReadCount(8); left > 0; left--)
        {
            var type = (OpCode)reader.ReadInt();
            failed |= type == OpCode.Error;
            ReadOnlyMemory<byte> body = reader.ReadBuffer().GetValueOrDefault();
            if (!failed)
            {
                var part = new JuteReader(body);
                ReadBody(type, ref part, session, changes);
            }
        }
        if (failed)
        {
            changes.Clear();
        }
    }

    private static void ReadBody(OpCode type, ref JuteReader reader, long session, List<LoggedChange> changes)
    {
        switch (type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                changes.Add(ReadCreate(type, ref reader, session));
                break;
            case OpCode.Delete or OpCode.DeleteContainer:
                changes.Add(new LoggedChange(ChangeKind.Delete, reader.ReadRequiredString()));
                break;
            case OpCode.SetData or OpCode.Reconfig:
                changes.Add(new LoggedChange(ChangeKind.SetData, reader.ReadRequiredString()) { Data = reader.ReadBuffer(), Number = reader.ReadInt() });
                break;
            case OpCode.SetAcl:
                changes.Add(new LoggedChange(ChangeKind.SetAcl, reader.ReadRequiredString()) { Acl = reader.ReadRecords<Acl>(12), Number = reader.ReadInt() });
                break;
            case OpCode.CreateSession:
                changes.Add(new LoggedChange(ChangeKind.OpenSession, "") { Number = reader.ReadInt() });
                break;
            case OpCode.CloseSession:
                // Newer logs list the session's nodes; who applies all transactions knows them anyway.
                changes.Add(new LoggedChange(ChangeKind.CloseSession, ""));
                break;
            case OpCode.Check or OpCode.Error:
                break;
            default:
                throw new JuteFormatException($"a transaction of the unknown type {(int)type}");
        }
    }

    private static LoggedChange ReadCreate(OpCode type, ref JuteReader reader, long session)
    {
        string path = reader.ReadRequiredString();
        ReadOnlyMemory<byte>? data = reader.ReadBuffer();
        Acl[] acl = reader.ReadRecords<Acl>(12);
        bool isEphemeral = type is OpCode.Create or OpCode.Create2 && reader.ReadBool();
        int creations = reader.Remaining == 0 ? -1 : reader.ReadInt();
        return new LoggedChange(ChangeKind.Create, path)
        {
            Data = data,
            Acl = acl,
            Owner = type switch
            {
                OpCode.CreateContainer => StoredNode.ContainerOwner,
                OpCode.CreateTtl => StoredNode.TtlOwner(reader.ReadLong()),
                _ => isEphemeral ? session : 0,
            },
            Number = creations,
        };
    }
}
