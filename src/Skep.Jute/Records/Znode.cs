namespace Skep.Jute;

/// <summary>Whom an ACL entry is for.</summary>
public readonly record struct AclId(string Scheme, string Name) : IJuteRecord<AclId>
{
    /// <inheritdoc/>
    public static AclId Read(ref JuteReader reader) => new(reader.ReadString(), reader.ReadString());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Scheme);
        writer.WriteString(Name);
    }
}

/// <summary>One entry of an ACL: permissions (read 1, write 2, create 4, delete 8, admin 16) for one identity.</summary>
public readonly record struct Acl(int Perms, AclId Id) : IJuteRecord<Acl>
{
    /// <inheritdoc/>
    public static Acl Read(ref JuteReader reader) => new(reader.ReadInt(), AclId.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(Perms);
        Id.Write(ref writer);
    }
}

/// <summary>What is known of a znode beside its data; times in ms since 1970.</summary>
public readonly record struct Stat(
    long Czxid, long Mzxid, long Ctime, long Mtime, int Version, int Cversion, int Aversion, long EphemeralOwner, int DataLength, int NumChildren, long Pzxid) : IJuteRecord<Stat>
{
    /// <inheritdoc/>
    public static Stat Read(ref JuteReader reader) => new(
        reader.ReadLong(), reader.ReadLong(), reader.ReadLong(), reader.ReadLong(), reader.ReadInt(), reader.ReadInt(), reader.ReadInt(), reader.ReadLong(), reader.ReadInt(), reader.ReadInt(), reader.ReadLong());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteLong(Czxid);
        writer.WriteLong(Mzxid);
        writer.WriteLong(Ctime);
        writer.WriteLong(Mtime);
        writer.WriteInt(Version);
        writer.WriteInt(Cversion);
        writer.WriteInt(Aversion);
        writer.WriteLong(EphemeralOwner);
        writer.WriteInt(DataLength);
        writer.WriteInt(NumChildren);
        writer.WriteLong(Pzxid);
    }
}
