namespace Skep.Jute;

/// <summary>create, create2, createContainer.</summary>
public readonly record struct CreateRequest(
    string Path, ReadOnlyMemory<byte>? Data, IReadOnlyList<Acl> Acl, int Flags) : IJuteRecord<CreateRequest>
{
    /// <inheritdoc/>
    public static CreateRequest Read(ref JuteReader reader) => new(
        reader.ReadRequiredString(), reader.ReadBuffer(), reader.ReadRecords<Acl>(12), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteBuffer(Data);
        writer.WriteRecords(Acl);
        writer.WriteInt(Flags);
    }
}

/// <summary>createTTL; the time to live in ms.</summary>
public readonly record struct CreateTtlRequest(
    string Path, ReadOnlyMemory<byte>? Data, IReadOnlyList<Acl> Acl, int Flags, long TtlMs) : IJuteRecord<CreateTtlRequest>
{
    /// <inheritdoc/>
    public static CreateTtlRequest Read(ref JuteReader reader) => new(
        reader.ReadRequiredString(), reader.ReadBuffer(), reader.ReadRecords<Acl>(12), reader.ReadInt(), reader.ReadLong());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteBuffer(Data);
        writer.WriteRecords(Acl);
        writer.WriteInt(Flags);
        writer.WriteLong(TtlMs);
    }
}

/// <summary>Answer to create.</summary>
public readonly record struct CreateResponse(string Path) : IJuteRecord<CreateResponse>
{
    /// <inheritdoc/>
    public static CreateResponse Read(ref JuteReader reader) => new(reader.ReadString());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
    }
}

/// <summary>Answer to create2, createContainer, createTTL.</summary>
public readonly record struct Create2Response(string Path, Stat Stat) : IJuteRecord<Create2Response>
{
    /// <inheritdoc/>
    public static Create2Response Read(ref JuteReader reader) => new(reader.ReadString(), Stat.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        Stat.Write(ref writer);
    }
}

/// <summary>delete and check; version -1 matches any.</summary>
public readonly record struct VersionedPathRequest(string Path, int Version) : IJuteRecord<VersionedPathRequest>
{
    /// <inheritdoc/>
    public static VersionedPathRequest Read(ref JuteReader reader) => new(reader.ReadRequiredString(), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteInt(Version);
    }
}

/// <summary>setData.</summary>
public readonly record struct SetDataRequest(string Path, ReadOnlyMemory<byte>? Data, int Version) : IJuteRecord<SetDataRequest>
{
    /// <inheritdoc/>
    public static SetDataRequest Read(ref JuteReader reader) => new(reader.ReadString(), reader.ReadBuffer(), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteBuffer(Data);
        writer.WriteInt(Version);
    }
}

/// <summary>setACL.</summary>
public readonly record struct SetAclRequest(string Path, IReadOnlyList<Acl> Acl, int Version) : IJuteRecord<SetAclRequest>
{
    /// <inheritdoc/>
    public static SetAclRequest Read(ref JuteReader reader) => new(
        reader.ReadString(), reader.ReadRecords<Acl>(12), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteRecords(Acl);
        writer.WriteInt(Version);
    }
}

/// <summary>Answer to setData, setACL and exists.</summary>
public readonly record struct StatResponse(Stat Stat) : IJuteRecord<StatResponse>
{
    /// <inheritdoc/>
    public static StatResponse Read(ref JuteReader reader) => new(Stat.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        Stat.Write(ref writer);
    }
}

/// <summary>reconfig: an incremental change, or the whole of the new members.</summary>
public readonly record struct ReconfigRequest(
    string JoiningServers, string LeavingServers, string NewMembers, long CurConfigId) : IJuteRecord<ReconfigRequest>
{
    /// <inheritdoc/>
    public static ReconfigRequest Read(ref JuteReader reader) => new(
        reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadLong());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(JoiningServers);
        writer.WriteString(LeavingServers);
        writer.WriteString(NewMembers);
        writer.WriteLong(CurConfigId);
    }
}
