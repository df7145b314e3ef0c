namespace Skep.Jute;

/// <summary>exists, getData, getChildren, getChildren2.</summary>
public readonly record struct PathWatchRequest(string Path, bool Watch) : IJuteRecord<PathWatchRequest>
{
    /// <inheritdoc/>
    public static PathWatchRequest Read(ref JuteReader reader) => new(reader.ReadRequiredString(), reader.ReadBool());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteBool(Watch);
    }
}

/// <summary>getACL, sync, getEphemerals (a prefix), getAllChildrenNumber, deleteContainer; the answer to sync has the same form.</summary>
public readonly record struct PathRequest(string Path) : IJuteRecord<PathRequest>
{
    /// <inheritdoc/>
    public static PathRequest Read(ref JuteReader reader) => new(reader.ReadString());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
    }
}

/// <summary>Answer to getData and getConfig.</summary>
public readonly record struct GetDataResponse(ReadOnlyMemory<byte>? Data, Stat Stat) : IJuteRecord<GetDataResponse>
{
    /// <inheritdoc/>
    public static GetDataResponse Read(ref JuteReader reader) => new(reader.ReadBuffer(), Stat.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteBuffer(Data);
        Stat.Write(ref writer);
    }
}

/// <summary>Answer to getChildren and getEphemerals.</summary>
public readonly record struct GetChildrenResponse(IReadOnlyList<string> Children) : IJuteRecord<GetChildrenResponse>
{
    /// <inheritdoc/>
    public static GetChildrenResponse Read(ref JuteReader reader) => new(reader.ReadStrings());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteStrings(Children);
    }
}

/// <summary>Answer to getChildren2.</summary>
public readonly record struct GetChildren2Response(IReadOnlyList<string> Children, Stat Stat) : IJuteRecord<GetChildren2Response>
{
    /// <inheritdoc/>
    public static GetChildren2Response Read(ref JuteReader reader) => new(reader.ReadStrings(), Stat.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteStrings(Children);
        Stat.Write(ref writer);
    }
}

/// <summary>Answer to getACL.</summary>
public readonly record struct GetAclResponse(IReadOnlyList<Acl> Acl, Stat Stat) : IJuteRecord<GetAclResponse>
{
    /// <inheritdoc/>
    public static GetAclResponse Read(ref JuteReader reader) => new(reader.ReadRecords<Acl>(12), Stat.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteRecords(Acl);
        Stat.Write(ref writer);
    }
}

/// <summary>Answer to getAllChildrenNumber: all below the path.</summary>
public readonly record struct GetAllChildrenNumberResponse(int TotalNumber) : IJuteRecord<GetAllChildrenNumberResponse>
{
    /// <inheritdoc/>
    public static GetAllChildrenNumberResponse Read(ref JuteReader reader) => new(reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(TotalNumber);
    }
}

/// <summary>One identity of a session.</summary>
public readonly record struct ClientInfo(string AuthScheme, string User) : IJuteRecord<ClientInfo>
{
    /// <inheritdoc/>
    public static ClientInfo Read(ref JuteReader reader) => new(reader.ReadString(), reader.ReadString());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(AuthScheme);
        writer.WriteString(User);
    }
}

/// <summary>Answer to whoAmI.</summary>
public readonly record struct WhoAmIResponse(IReadOnlyList<ClientInfo> ClientInfos) : IJuteRecord<WhoAmIResponse>
{
    /// <inheritdoc/>
    public static WhoAmIResponse Read(ref JuteReader reader) => new(reader.ReadRecords<ClientInfo>(8));

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteRecords(ClientInfos);
    }
}
