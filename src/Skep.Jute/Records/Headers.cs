namespace Skep.Jute;

/// <summary>Before every request: the caller's number for it, and what it asks for (<see cref="OpCode"/>).</summary>
public readonly record struct RequestHeader(int Xid, int Type) : IJuteRecord<RequestHeader>
{
    /// <inheritdoc/>
    public static RequestHeader Read(ref JuteReader reader) => new(reader.ReadInt(), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(Xid);
        writer.WriteInt(Type);
    }
}

/// <summary>Before every answer; <c>Xid</c> -1 is an event, -2 a ping, -4 an auth, -8 a setWatches.</summary>
public readonly record struct ReplyHeader(int Xid, long Zxid, int Err) : IJuteRecord<ReplyHeader>
{
    /// <inheritdoc/>
    public static ReplyHeader Read(ref JuteReader reader) => new(reader.ReadInt(), reader.ReadLong(), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(Xid);
        writer.WriteLong(Zxid);
        writer.WriteInt(Err);
    }
}

/// <summary>Before every part of a multi and of its answer; <c>Done</c> ends the list.</summary>
public readonly record struct MultiHeader(int Type, bool Done, int Err) : IJuteRecord<MultiHeader>
{
    /// <inheritdoc/>
    public static MultiHeader Read(ref JuteReader reader) => new(reader.ReadInt(), reader.ReadBool(), reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(Type);
        writer.WriteBool(Done);
        writer.WriteInt(Err);
    }
}

/// <summary>The answer of a part of a multi that was not done.</summary>
public readonly record struct ErrorResponse(int Err) : IJuteRecord<ErrorResponse>
{
    /// <inheritdoc/>
    public static ErrorResponse Read(ref JuteReader reader) => new(reader.ReadInt());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(Err);
    }
}
