namespace Skep.Jute;

/// <summary>
/// The first frame on a connection. Clients older than 3.4 leave the last field out: <see cref="ReadOnly"/> is null then, and the
/// answer leaves it out as well.
/// </summary>
public readonly record struct ConnectRequest(
    int ProtocolVersion, long LastZxidSeen, int TimeoutMs, long SessionId, ReadOnlyMemory<byte>? Password, bool? ReadOnly)
    : IJuteRecord<ConnectRequest>
{
    /// <inheritdoc/>
    public static ConnectRequest Read(ref JuteReader reader) => new(
        reader.ReadInt(), reader.ReadLong(), reader.ReadInt(), reader.ReadLong(), reader.ReadBuffer(),
        reader.Remaining > 0 ? reader.ReadBool() : null);

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(ProtocolVersion);
        writer.WriteLong(LastZxidSeen);
        writer.WriteInt(TimeoutMs);
        writer.WriteLong(SessionId);
        writer.WriteBuffer(Password);
        if (ReadOnly is bool readOnly)
        {
            writer.WriteBool(readOnly);
        }
    }
}

/// <summary>The answer to <see cref="ConnectRequest"/>; a time-out of 0 says that the session is gone.</summary>
public readonly record struct ConnectResponse(
    int ProtocolVersion, int TimeoutMs, long SessionId, ReadOnlyMemory<byte>? Password, bool? ReadOnly) : IJuteRecord<ConnectResponse>
{
    /// <inheritdoc/>
    public static ConnectResponse Read(ref JuteReader reader) => new(
        reader.ReadInt(), reader.ReadInt(), reader.ReadLong(), reader.ReadBuffer(), reader.Remaining > 0 ? reader.ReadBool() : null);

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(ProtocolVersion);
        writer.WriteInt(TimeoutMs);
        writer.WriteLong(SessionId);
        writer.WriteBuffer(Password);
        if (ReadOnly is bool readOnly)
        {
            writer.WriteBool(readOnly);
        }
    }
}
