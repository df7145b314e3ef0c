namespace Skep.Coordination.Tree;

/// <summary>
/// A znode in 96 bytes; beside them it costs one byte array that holds name and data, and its place in the index. Nodes name each
/// other by number, so that a page of them can be copied as it is.
/// </summary>
internal struct Node
{
    /// <summary>An owner that says "container".</summary>
    public const long Container = long.MinValue;

    /// <summary>An owner with these bits says "time to live", in ms in the lower 40 bits.</summary>
    public const long TtlMask = unchecked((long)0xff00000000000000);

    /// <summary>The longest time to live, in ms.</summary>
    public const long MaxTtlMs = 0xff_ffff_ffff;

    public long Czxid;
    public long Mzxid;
    public long Pzxid;
    public long CtimeMs;
    public long MtimeMs;
    public long Owner;
    public int Version;

    /// <summary>Children ever created: the counter of sequential names. What clients see is twice this less the children there are.</summary>
    public int Creations;
    public int Aversion;
    public int AclId;
    public int Parent;
    public int FirstChild;
    public int Next;
    public int Previous;
    public int ChildCount;

    /// <summary>Bytes of the name at the start of <see cref="Blob"/>; complemented where the data is null and not just empty.</summary>
    public int NameLength;

    /// <summary>Name and data; null in a slot that is free.</summary>
    public byte[]? Blob;

    public readonly ReadOnlyMemory<byte> Name => Blob.AsMemory(0, NameLength < 0 ? ~NameLength : NameLength);

    public readonly ReadOnlyMemory<byte>? Data => NameLength < 0 ? default(ReadOnlyMemory<byte>?) : Blob.AsMemory(NameLength);

    /// <summary>Is it bound to a session?</summary>
    public readonly bool IsEphemeral => Owner != 0 && Owner != Container && (Owner & TtlMask) != TtlMask;

    public void SetBlob(ReadOnlySpan<byte> name, ReadOnlyMemory<byte>? data)
    {
        byte[] blob = GC.AllocateUninitializedArray<byte>(name.Length + (data?.Length ?? 0));
        name.CopyTo(blob);
        data.GetValueOrDefault().Span.CopyTo(blob.AsSpan(name.Length));
        Blob = blob;
        NameLength = data is null ? ~name.Length : name.Length;
    }
}
