using System.Globalization;
using System.Text;
using Skep.Coordination.Access;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Coordination.Tests;

/// <summary>DIGEST-MD5, as a member speaks it.</summary>
public sealed class Proofs_by_SASL
{
    private const string Cnonce = "OA6MHXh6VqTrRk";
    private static readonly Dictionary<string, string> Users = new() { ["bee"] = "honey", ["Zoë"] = "ünder", ["蜂"] = "蜜" };
    private readonly FakeGroup _group = new(static o => o with { PasswordOf = static user => Users.GetValueOrDefault(user) })
    {
        Standing = new Standing(1, 1, Leads: true, 1),
    };

    [Fact]
    public void The_example_of_the_RFC_comes_out()
    {
        byte[] session = DigestMd5.Session(DigestMd5.Secret("chris", "elwood.innosoft.com", "secret", isUtf8: true), "OA6MG9tEQGm2hh", Cnonce, null);
        Assert.Equal("d388dad90d4bbd760a152321f2143af7", DigestMd5.Response(session, "AUTHENTICATE:imap/elwood.innosoft.com", "OA6MG9tEQGm2hh", Cnonce));
        Assert.Equal("ea40f60335c427b5527b84dbabcdfffd", DigestMd5.Response(session, ":imap/elwood.innosoft.com", "OA6MG9tEQGm2hh", Cnonce));
    }

    [Theory]
    [InlineData("bee", "honey")]
    [InlineData("Zoë", "ünder")]
    [InlineData("蜂", "蜜")]
    public void Who_proves_it_is_who_they_say(string user, string password)
    {
        Connection client = Connect();
        string nonce = Challenged(client);
        (ReplyHeader header, byte[] body) = Step(client, Answer(nonce, user, password));
        Assert.Equal(new ReplyHeader(7, 0, 0), header);
        byte[] session = DigestMd5.Session(DigestMd5.Secret(user, DigestMd5.Realm, password, isUtf8: true), nonce, Cnonce, null);
        Assert.Equal($"rspauth={DigestMd5.Response(session, ":zookeeper/zk-sasl-md5", nonce, Cnonce)}", Token(body));
        Assert.Contains(new AclId("sasl", user), _group.Member.Look(v => v.Tree.Sessions[client.SessionId].Identities));
    }

    [Fact]
    public void The_lists_of_a_znode_know_them()
    {
        Connection bee = Connect(), other = Connect();
        Step(bee, Answer(Challenged(bee), "bee", "honey"));
        _group.Ask(bee, 1, OpCode.Create, new CreateRequest("/hers", null, [new Acl(31, new AclId("sasl", "bee"))], 0));
        _group.ApplyAll();
        _group.Ask(bee, 2, OpCode.GetData, new PathWatchRequest("/hers", false));
        _group.Ask(other, 2, OpCode.GetData, new PathWatchRequest("/hers", false));
        Assert.Equal([0, 0], _group.Read(bee).Select(static h => h.Err));
        Assert.Equal([(int)ErrorCode.NoAuth], _group.Read(other).Select(static h => h.Err));
    }

    public static TheoryData<string, Func<string, string>> Wrong => new()
    {
        { "bee is nobody here, or has another password", static nonce => Answer(nonce, "bee", "wax") },
        { "wasp is nobody here, or has another password", static nonce => Answer(nonce, "wasp", "") },
        { "nonce is \"old\"", static _ => Answer("old", "bee", "honey") },
        { "nc is \"00000002\"", static nonce => Answer(nonce, "bee", "honey").Replace("nc=00000001", "nc=00000002", StringComparison.Ordinal) },
        { "qop is \"auth-conf\"", static nonce => Answer(nonce, "bee", "honey").Replace("qop=auth", "qop=auth-conf", StringComparison.Ordinal) },
        { "realm is \"elsewhere\"", static nonce => Answer(nonce, "bee", "honey").Replace("realm=\"zk-sasl-md5\"", "realm=\"elsewhere\"", StringComparison.Ordinal) },
        { "digest-uri is \"imap/zk-sasl-md5\"", static nonce => Answer(nonce, "bee", "honey").Replace("zookeeper/", "imap/", StringComparison.Ordinal) },
        { "bee asks to be queen", static nonce => Answer(nonce, "bee", "honey") + ",authzid=\"queen\"" },
        { "the answer has no cnonce", static nonce => Answer(nonce, "bee", "honey").Replace("cnonce", "c", StringComparison.Ordinal) },
        { "username is said twice", static nonce => Answer(nonce, "bee", "honey") + ",username=\"queen\"" },
        { "a quote that does not end", static _ => "username=\"bee" },
        { "a directive without a value", static _ => "bee" },
        { "something follows the value of realm", static _ => "realm=\"a\"b" },
        { "4097 bytes; at most 4096", static _ => new string('a', 4097) },
        { "more than 32 directives", static _ => string.Join(',', Enumerable.Range(0, 33).Select(static i => $"a{i}=1")) },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Whoever_does_not_is_let_go_and_the_log_alone_says_why(string why, Func<string, string> answer)
    {
        Connection client = Connect();
        (ReplyHeader header, byte[] body) = Step(client, answer(Challenged(client)));
        Assert.Equal(new ReplyHeader(7, 0, (int)ErrorCode.AuthFailed), header);
        Assert.Equal([0xFF, 0xFF, 0xFF, 0xFF], body);
        Assert.Equal(ConnectionState.Closing, client.State);
        Assert.Contains(_group.Log.Lines, l => l.Contains(why, StringComparison.Ordinal));
    }

    [Fact]
    public void An_answer_counts_once_and_for_its_own_challenge_alone()
    {
        Connection client = Connect(), eavesdropper = Connect();
        string answer = Answer(Challenged(client), "bee", "honey");
        Challenged(eavesdropper);
        Assert.Equal((int)ErrorCode.AuthFailed, Step(eavesdropper, answer).Header.Err);
        Assert.Equal(0, Step(client, answer).Header.Err);

        // What comes next is the beginning of another proof, whatever it is.
        (ReplyHeader header, byte[] body) = Step(client, answer);
        Assert.Equal(0, header.Err);
        Assert.Contains("nonce=", Token(body), StringComparison.Ordinal);
        Assert.Equal((int)ErrorCode.AuthFailed, Step(client, answer).Header.Err);
    }

    [Fact]
    public void A_challenge_keeps_its_place_behind_what_was_asked_before()
    {
        Connection client = Connect();
        _group.Ask(client, 1, OpCode.Create, new CreateRequest("/a", null, Trees.Open, 0));
        _group.Ask(client, 2, OpCode.Sasl, new SaslToken(null));
        Assert.Empty(_group.Read(client));
        _group.ApplyAll();
        Assert.Equal([1, 2], _group.Read(client).Select(static h => h.Xid));
    }

    [Fact]
    public void Where_it_can_be_overheard_none_is_taken()
    {
        var open = new FakeGroup(static o => o with { PasswordOf = static _ => "" }) { Standing = new Standing(1, 1, Leads: true, 1), MayProveByPassword = false };
        open.Tick(0);
        Connection client = open.Connect();
        open.Ask(client, 7, OpCode.Sasl, new SaslToken(null));
        Assert.Equal([(int)ErrorCode.AuthFailed], open.Read(client).Select(static h => h.Err));
    }

    [Fact]
    public void Bytes_of_any_kind_are_refused_and_break_nothing()
    {
        var chance = new Random(3);
        for (int i = 0; i < 2_000; i++)
        {
            // As it should be but for some bytes, or nothing of it.
            byte[] token = Encoding.UTF8.GetBytes(Answer("nonce", "bee", "honey"));
            if (i % 4 == 0)
            {
                chance.NextBytes(token);
            }
            for (int j = chance.Next(1, 4); j > 0; j--)
            {
                token[chance.Next(token.Length)] = (byte)chance.Next(256);
            }
            try
            {
                Assert.Equal("bee", DigestMd5.Answer(token.AsSpan(0, chance.Next(token.Length)), "nonce", static user => Users.GetValueOrDefault(user)).User);
            }
            catch (SaslRefusedException)
            {
                // That is what is to come of it.
            }
        }
    }

    private static string Answer(string nonce, string user, string password)
    {
        byte[] session = DigestMd5.Session(DigestMd5.Secret(user, DigestMd5.Realm, password, isUtf8: true), nonce, Cnonce, null);
        string response = DigestMd5.Response(session, "AUTHENTICATE:zookeeper/zk-sasl-md5", nonce, Cnonce);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"charset=utf-8,username=\"{user}\",realm=\"zk-sasl-md5\",nonce=\"{nonce}\",nc=00000001,cnonce=\"{Cnonce}\",digest-uri=\"zookeeper/zk-sasl-md5\",maxbuf=65536,response={response},qop=auth");
    }

    private Connection Connect()
    {
        _group.Tick(0);
        return _group.Connect();
    }

    private string Challenged(Connection client)
    {
        (ReplyHeader header, byte[] body) = Step(client, "");
        Assert.Equal(new ReplyHeader(7, 0, 0), header);
        Dictionary<string, string> asked = SaslDirectives.Read(Encoding.Latin1.GetBytes(Token(body)));
        Assert.Equal(("zk-sasl-md5", "md5-sess", "utf-8"), (asked["realm"], asked["algorithm"], asked["charset"]));
        return asked["nonce"];
    }

    private (ReplyHeader Header, byte[] Body) Step(Connection client, string token)
    {
        _group.Ask(client, 7, OpCode.Sasl, new SaslToken(Encoding.UTF8.GetBytes(token)));
        _group.ApplyAll();
        return _group.ReadWhole(client).Single();
    }

    private static string Token(byte[] body)
    {
        var reader = new JuteReader(body);
        return Encoding.Latin1.GetString(SaslToken.Read(ref reader).Token!.Value.Span);
    }
}
