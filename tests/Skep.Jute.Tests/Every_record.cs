using CsCheck;

namespace Skep.Jute.Tests;

/// <summary>What holds for every record, whatever is in it: it reads as it was written, and no damage does more than one exception.</summary>
public sealed class Every_record
{
    private static readonly Gen<ReadOnlyMemory<byte>?> Buffer = Gen.OneOf(
        Gen.Const((ReadOnlyMemory<byte>?)null), Gen.Byte.Array[0, 40].Select(b => (ReadOnlyMemory<byte>?)b));
    private static readonly Gen<string> Text = Gen.String[Gen.Char['a', 'ÿ'], 0, 20];
    private static readonly Gen<Acl> AnAcl = Gen.Select(Gen.Int, Text, Text, (p, s, n) => new Acl(p, new AclId(s, n)));
    private static readonly Gen<Stat> AStat = Gen.Select(Gen.Long, Gen.Int, (a, b) => new Stat(a, a + 1, a - 2, ~a, b, b + 1, ~b, a ^ 5, b, 9, a));
    private static readonly Gen<Acl[]> Acls = AnAcl.Array[0, 3];
    private static readonly Gen<string[]> Texts = Text.Array[0, 4];

    private static readonly Gen<MultiOp> Op = Gen.Select(Text, Buffer, Acls, Gen.Int, Gen.Int[0, 8], (p, d, a, n, kind) => kind switch
    {
        0 => new MultiOp(OpCode.Create, p, d, a, n, 0, 0),
        1 => new MultiOp(OpCode.Create2, p, d, a, n, 0, 0),
        2 => new MultiOp(OpCode.CreateContainer, p, d, a, n, 0, 0),
        3 => new MultiOp(OpCode.CreateTtl, p, d, a, n, n, 0),
        4 => new MultiOp(OpCode.SetData, p, d, [], 0, 0, n),
        5 => new MultiOp(OpCode.Delete, p, null, [], 0, 0, n),
        6 => new MultiOp(OpCode.Check, p, null, [], 0, 0, n),
        7 => new MultiOp(OpCode.GetData, p, null, [], 0, 0, 0),
        _ => new MultiOp(OpCode.GetChildren, p, null, [], 0, 0, 0),
    });

    private static readonly Gen<MultiResult> Result = Gen.Select(Text, Buffer, AStat, Texts, Gen.Int[0, 7], (p, d, s, c, kind) => kind switch
    {
        0 => new MultiResult(OpCode.Create, 0, p, default, null, []),
        1 => new MultiResult(OpCode.Create2, 0, p, s, null, []),
        2 => new MultiResult(OpCode.CreateTtl, 0, p, s, null, []),
        3 => new MultiResult(OpCode.SetData, 0, "", s, null, []),
        4 => new MultiResult(OpCode.Delete, 0, "", default, null, []),
        5 => new MultiResult(OpCode.GetData, 0, "", s, d, []),
        6 => new MultiResult(OpCode.GetChildren, 0, "", default, null, c),
        _ => MultiResult.Failed(ErrorCode.BadVersion),
    });

    // A record's bytes, and how its kind reads and writes again so many of them.
    private static Gen<(byte[] Bytes, Func<byte[], int, byte[]> Again)> Case<T>(Gen<T> records) where T : IJuteRecord<T> =>
        records.Select(r => (Bytes.Of(r), (Func<byte[], int, byte[]>)Bytes.ReadAndWrite<T>));

    private static readonly Gen<(byte[] Bytes, Func<byte[], int, byte[]> Again)> Any = Gen.OneOf(
        Case(Gen.Select(Gen.Int, Gen.Long, Buffer, Gen.Bool, (i, l, b, r) => new ConnectRequest(i, l, ~i, ~l, b, r))),
        Case(Gen.Select(Gen.Int, Gen.Long, Buffer, Gen.Bool, (i, l, b, r) => new ConnectResponse(i, ~i, l, b, r))),
        Case(Gen.Select(Gen.Int, Gen.Int, (a, b) => new RequestHeader(a, b))),
        Case(Gen.Select(Gen.Int, Gen.Long, Gen.Int, (a, b, c) => new ReplyHeader(a, b, c))),
        Case(Gen.Int.Select(e => new ErrorResponse(e))),
        Case(Gen.Select(Text, Buffer, Acls, Gen.Int, (p, d, a, f) => new CreateRequest(p, d, a, f))),
        Case(Gen.Select(Text, Buffer, Acls, Gen.Int, (p, d, a, f) => new CreateTtlRequest(p, d, a, f, ~(long)f))),
        Case(Text.Select(p => new CreateResponse(p))),
        Case(Gen.Select(Text, AStat, (p, s) => new Create2Response(p, s))),
        Case(Gen.Select(Text, Gen.Int, (p, v) => new VersionedPathRequest(p, v))),
        Case(Gen.Select(Text, Buffer, Gen.Int, (p, d, v) => new SetDataRequest(p, d, v))),
        Case(Gen.Select(Text, Acls, Gen.Int, (p, a, v) => new SetAclRequest(p, a, v))),
        Case(AStat.Select(s => new StatResponse(s))),
        Case(Gen.Select(Text, Text, Text, Gen.Long, (j, l, n, c) => new ReconfigRequest(j, l, n, c))),
        Case(Gen.Select(Text, Gen.Bool, (p, w) => new PathWatchRequest(p, w))),
        Case(Text.Select(p => new PathRequest(p))),
        Case(Gen.Select(Buffer, AStat, (d, s) => new GetDataResponse(d, s))),
        Case(Texts.Select(c => new GetChildrenResponse(c))),
        Case(Gen.Select(Texts, AStat, (c, s) => new GetChildren2Response(c, s))),
        Case(Gen.Select(Acls, AStat, (a, s) => new GetAclResponse(a, s))),
        Case(Gen.Int.Select(n => new GetAllChildrenNumberResponse(n))),
        Case(Gen.Select(Text, Text, (s, u) => new ClientInfo(s, u)).Array[0, 3].Select(i => new WhoAmIResponse(i))),
        Case(Gen.Select(Gen.Long, Texts, Texts, Texts, (z, d, e, c) => new SetWatches(z, d, e, c))),
        Case(Gen.Select(Gen.Long, Texts, Texts, Texts, (z, d, e, c) => new SetWatches2(z, d, e, c, e, d))),
        Case(Gen.Select(Text, Gen.Int, (p, m) => new AddWatchRequest(p, m))),
        Case(Gen.Select(Text, Gen.Int, (p, t) => new TypedWatchRequest(p, t))),
        Case(Gen.Select(Gen.Int, Gen.Int, Text, (t, s, p) => new WatcherEvent(t, s, p))),
        Case(Gen.Select(Gen.Int, Text, Buffer, (t, s, a) => new AuthPacket(t, s, a))),
        Case(Buffer.Select(t => new SaslToken(t))),
        Case(Op.Array[0, 5].Select(o => new MultiRequest(o))),
        Case(Result.Array[0, 5].Select(r => new MultiResponse(r))));

    [Fact]
    public void Reads_as_it_was_written() =>
        Any.Sample(c => c.Again(c.Bytes, c.Bytes.Length).AsSpan().SequenceEqual(c.Bytes), iter: 5_000, threads: 1);

    [Fact]
    public void Cut_short_anywhere_is_refused_or_is_a_shorter_record_of_the_same_bytes() =>
        Gen.Select(Any, Gen.Double.Unit, (c, cut) => (c, Length: (int)(cut * c.Bytes.Length))).Sample(x =>
        {
            try
            {
                return x.c.Again(x.c.Bytes, x.Length).AsSpan().SequenceEqual(x.c.Bytes.AsSpan(0, x.Length));
            }
            catch (JuteFormatException)
            {
                return true;
            }
        }, iter: 5_000, threads: 1);

    [Fact]
    public void Damaged_in_any_byte_ends_in_a_record_or_in_the_one_exception() =>
        Gen.Select(Any, Gen.UInt, Gen.Byte).Sample((c, at, value) =>
        {
            byte[] damaged = [.. c.Bytes];
            if (damaged.Length > 0)
            {
                damaged[at % (uint)damaged.Length] = value;
            }
            try
            {
                c.Again(damaged, damaged.Length);
            }
            catch (JuteFormatException)
            {
                // What a server answers with a closed connection.
            }
        }, iter: 5_000, threads: 1);
}
