namespace Skep.Jute;

/// <summary>setWatches: what a session that comes back watches, and the last zxid that it saw.</summary>
public readonly record struct SetWatches(
    long RelativeZxid, IReadOnlyList<string> DataWatches, IReadOnlyList<string> ExistWatches, IReadOnlyList<string> ChildWatches) : IJuteRecord<SetWatches>
{
    /// <inheritdoc/>
    public static SetWatches Read(ref JuteReader reader) => new(
        reader.ReadLong(), reader.ReadRequiredStrings(), reader.ReadRequiredStrings(), reader.ReadRequiredStrings());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteLong(RelativeZxid);
        writer.WriteStrings(DataWatches);
        writer.WriteStrings(ExistWatches);
        writer.WriteStrings(ChildWatches);
    }
}

/// <summary>setWatches2: with the persistent watches of 3.6.</summary>
public readonly record struct SetWatches2(
    long RelativeZxid, IReadOnlyList<string> DataWatches, IReadOnlyList<string> ExistWatches, IReadOnlyList<string> ChildWatches, IReadOnlyList<string> PersistentWatches, IReadOnlyList<string> PersistentRecursiveWatches) : IJuteRecord<SetWatches2>
{
    /// <inheritdoc/>
    public static SetWatches2 Read(ref JuteReader reader) => new(
        reader.ReadLong(), reader.ReadRequiredStrings(), reader.ReadRequiredStrings(), reader.ReadRequiredStrings(), reader.ReadRequiredStrings(), reader.ReadRequiredStrings());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteLong(RelativeZxid);
        writer.WriteStrings(DataWatches);
        writer.WriteStrings(ExistWatches);
        writer.WriteStrings(ChildWatches);
        writer.WriteStrings(PersistentWatches);
        writer.WriteStrings(PersistentRecursiveWatches);
    }
}

/// <summary>addWatch: mode 0 persistent, 1 persistent recursive.</summary>
public readonly record struct AddWatchRequest(string Path, int Mode) : IJuteRecord<AddWatchRequest>
{
    /// <inheritdoc/>
    public static AddWatchRequest Read(ref JuteReader reader) => new(reader.ReadRequiredString(), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteInt(Mode);
    }
}

/// <summary>removeWatches and checkWatches: type 1 children, 2 data, 3 any; 3.8 has 4 persistent, 5 persistent recursive.</summary>
public readonly record struct TypedWatchRequest(string Path, int Type) : IJuteRecord<TypedWatchRequest>
{
    /// <inheritdoc/>
    public static TypedWatchRequest Read(ref JuteReader reader) => new(reader.ReadString(), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteString(Path);
        writer.WriteInt(Type);
    }
}

/// <summary>An event: type 1 created, 2 deleted, 3 changed, 4 children; state 3 is connected.</summary>
public readonly record struct WatcherEvent(int Type, int State, string Path) : IJuteRecord<WatcherEvent>
{
    /// <inheritdoc/>
    public static WatcherEvent Read(ref JuteReader reader) => new(reader.ReadInt(), reader.ReadInt(), reader.ReadString());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(Type);
        writer.WriteInt(State);
        writer.WriteString(Path);
    }
}
