namespace Skep.Jute;

/// <summary>auth: a scheme and its proof.</summary>
public readonly record struct AuthPacket(int Type, string Scheme, ReadOnlyMemory<byte>? Auth) : IJuteRecord<AuthPacket>
{
    /// <inheritdoc/>
    public static AuthPacket Read(ref JuteReader reader) => new(reader.ReadInt(), reader.ReadString(), reader.ReadBuffer());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteInt(Type);
        writer.WriteString(Scheme);
        writer.WriteBuffer(Auth);
    }
}

/// <summary>One step of SASL, from either side.</summary>
public readonly record struct SaslToken(ReadOnlyMemory<byte>? Token) : IJuteRecord<SaslToken>
{
    /// <inheritdoc/>
    public static SaslToken Read(ref JuteReader reader) => new(reader.ReadBuffer());

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        writer.WriteBuffer(Token);
    }
}
