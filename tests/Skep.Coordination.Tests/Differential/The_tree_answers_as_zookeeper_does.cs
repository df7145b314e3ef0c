using System.Security.Cryptography;
using System.Text;
using Skep.Coordination.Access;
using Skep.Coordination.Tree;
using Skep.Coordination.Watches;
using Skep.Jute;

namespace Skep.Coordination.Tests.Differential;

/// <summary>
/// The same seeded stream of operations from two sessions to a real ZooKeeper and to our tree: errors, paths, data, ACLs, every field
/// of Stat but the two times, and the events of watches in their order.
/// </summary>
public sealed class The_tree_answers_as_zookeeper_does : IDisposable
{
    private static readonly string[] Strange = ["", "/", "a", "/a/", "//a", "/a/../b", "/.", "/a\u0001", "/zookeeper", "/zookeeper/quota", "/none/x", "/a//b"];
    private readonly RealZooKeeper _real = RealZooKeeper.StartOrSkip();
    private readonly ZnodeTree _tree = ZnodeTree.New();
    private readonly WatchTable _watches = new();
    private readonly RawClient[] _clients = new RawClient[2];
    private readonly Caller[] _callers = new Caller[2];
    private Random _random = new(0);
    private string _step = "";

    public void Dispose()
    {
        foreach (RawClient? client in _clients)
        {
            client?.Dispose();
        }
        _real.Dispose();
    }

    [Fact]
    public void Over_a_seeded_stream_of_operations_from_two_sessions()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("SKEP_SEED"), out int asked) ? asked : 20_261;
        _random = new Random(seed);
        Open(0);
        Open(1);
        for (int i = 0; i < 3_000; i++)
        {
            int who = _random.Next(2);
            _step = $"seed {seed}, step {i}, session {who}: ";
            switch (_random.Next(100))
            {
                case < 62:
                    Write(who);
                    break;
                case < 72:
                    Multi(who);
                    break;
                case < 99:
                    Read(who);
                    break;
                default:
                    Reopen(1);
                    break;
            }
        }
    }

    private void Open(int who)
    {
        _clients[who] = _real.Connect(port => new RawClient(port));
        string name = $"u{who}:pw";
        ReplyHeader header = _clients[who].Call(OpCode.Auth, new AuthPacket(0, "digest", Encoding.UTF8.GetBytes(name)), -4).Header;
        Assert.Equal(0, header.Err);
#pragma warning disable CA5350 // ZooKeeper's digest scheme is SHA-1.
        string digest = $"u{who}:" + Convert.ToBase64String(SHA1.HashData(Encoding.UTF8.GetBytes(name)));
#pragma warning restore CA5350
        long id = _clients[who].SessionId;
        _callers[who] = new Caller(id, [new AclId("ip", "127.0.0.1"), new AclId("digest", digest)]);
        _tree.OpenSession(id, [], new SessionClaim(id, 40_000, []), header.Zxid);
    }

    private void Reopen(int who)
    {
        _step += "close";
        long zxid = _clients[who].Close();
        _clients[who].Dispose();
        _watches.RemoveSession(_callers[who].SessionId);
        _tree.CloseSession(_callers[who].SessionId, zxid);
        // The real server removes a session's ephemerals in no certain order.
        CompareEvents(inOrder: false, only: 1 - who);
        Open(who);
    }

    private void Write(int who)
    {
        MultiOp op = AnyWrite(forMulti: false);
        _step += op.ToString();
        (ReplyHeader header, ReadOnlyMemory<byte> body) = op.Type switch
        {
            OpCode.CreateTtl => _clients[who].Call(op.Type, new CreateTtlRequest(op.Path, op.Data, op.Acl, op.Flags, op.TtlMs)),
            OpCode.SetData => _clients[who].Call(op.Type, new SetDataRequest(op.Path, op.Data, op.Version)),
            OpCode.SetAcl => _clients[who].Call(op.Type, new SetAclRequest(op.Path, op.Acl, op.Version)),
            OpCode.Delete => _clients[who].Call(op.Type, new VersionedPathRequest(op.Path, op.Version)),
            _ => _clients[who].Call(op.Type, new CreateRequest(op.Path, op.Data, op.Acl, op.Flags)),
        };
        MultiResult ours = _tree.Apply(_callers[who], op, header.Zxid, 1);
        Same((ErrorCode)header.Err, ours.Err);
        if (header.Err == 0)
        {
            var reader = new JuteReader(body);
            Stat Next(ref JuteReader r) => Timeless(Stat.Read(ref r));
            switch (op.Type)
            {
                case OpCode.Create:
                    Same(reader.ReadString(), ours.Path);
                    break;
                case OpCode.SetData or OpCode.SetAcl:
                    Same(Next(ref reader), Timeless(ours.Stat));
                    break;
                case OpCode.Delete:
                    break;
                default:
                    Same(reader.ReadString(), ours.Path);
                    Same(Next(ref reader), Timeless(ours.Stat));
                    break;
            }
        }
        CompareEvents(inOrder: true);
    }

    private void Multi(int who)
    {
        MultiOp[] ops = [.. Enumerable.Range(0, _random.Next(1, 5)).Select(_ => AnyWrite(forMulti: true))];
        _step += string.Join(" & ", ops);
        (ReplyHeader header, ReadOnlyMemory<byte> body) = _clients[who].Call(OpCode.Multi, new MultiRequest(ops));
        MultiResponse ours = _tree.ApplyAll(_callers[who], ops, header.Zxid, 1);
        Same(0, header.Err);
        var reader = new JuteReader(body);
        MultiResponse theirs = MultiResponse.Read(ref reader);
        Same(string.Join(" & ", theirs.Results.Select(Shown)), string.Join(" & ", ours.Results.Select(Shown)));
        CompareEvents(inOrder: true);
    }

    private void Read(int who)
    {
        string path = AnyPath();
        bool watch = _random.Next(2) == 0;
        var kind = (OpCode)new[] { 3, 4, 6, 12, 103, 104, 106 }[_random.Next(7)];
        _step += $"{kind} {path} {watch}";
        Caller me = _callers[who];
        bool lasting = path.StartsWith("/3", StringComparison.Ordinal);
        watch &= !lasting;
        if (kind == OpCode.AddWatch)
        {
            // Where 3.8 is told of both sorts on one path it forgets one of them; so each path has one sort.
            if (lasting)
            {
                int mode = path.Length % 2;
                Same(0, _clients[who].Call(kind, new AddWatchRequest(path, mode)).Header.Err);
                _watches.Add(me.SessionId, path, mode == 0 ? WatchKind.Persistent : WatchKind.Recursive);
            }
            return;
        }
        (ReplyHeader header, ReadOnlyMemory<byte> body) = kind is OpCode.Exists or OpCode.GetData or OpCode.GetChildren2
            ? _clients[who].Call(kind, new PathWatchRequest(path, watch))
            : _clients[who].Call(kind, new PathRequest(path));
        var reader = new JuteReader(body);
        ErrorCode err;
        string ours;
        string theirs = "";
        bool done = header.Err == 0;
        switch (kind)
        {
            case OpCode.Exists:
                err = _tree.Exists(path, out Stat stat);
                ours = Timeless(stat).ToString();
                theirs = done ? Timeless(Stat.Read(ref reader)).ToString() : "";
                break;
            case OpCode.GetData:
                err = _tree.GetData(me, path, out GetDataResponse data);
                ours = Hex(data.Data) + Timeless(data.Stat);
                theirs = done ? Hex(reader.ReadBuffer()) + Timeless(Stat.Read(ref reader)) : "";
                break;
            case OpCode.GetAcl:
                err = _tree.GetAcl(me, path, out GetAclResponse acl);
                ours = string.Join(',', acl.Acl) + Timeless(acl.Stat);
                theirs = done ? string.Join(',', reader.ReadRecords<Acl>(12)) + Timeless(Stat.Read(ref reader)) : "";
                break;
            case OpCode.GetChildren2:
                err = _tree.GetChildren(me, path, out GetChildren2Response children);
                ours = string.Join(',', children.Children.Order(StringComparer.Ordinal)) + Timeless(children.Stat);
                theirs = done ? string.Join(',', reader.ReadStrings().Order(StringComparer.Ordinal)) + Timeless(Stat.Read(ref reader)) : "";
                break;
            case OpCode.GetEphemerals:
                err = ErrorCode.Ok;
                ours = string.Join(',', _tree.Ephemerals(me.SessionId, path));
                theirs = done ? string.Join(',', reader.ReadStrings().Order(StringComparer.Ordinal)) : "";
                break;
            default:
                err = _tree.CountBelow(me, path, out int count);
                ours = $"{count}";
                theirs = done ? $"{reader.ReadInt()}" : "";
                break;
        }
        Same((ErrorCode)header.Err, err);
        if (done)
        {
            Same(theirs, ours);
        }
        if (watch && (done || (kind == OpCode.Exists && err == ErrorCode.NoNode)) && kind is OpCode.Exists or OpCode.GetData or OpCode.GetChildren2)
        {
            _watches.Add(me.SessionId, path, kind == OpCode.GetChildren2 ? WatchKind.Child : WatchKind.Data);
        }
    }

    private void CompareEvents(bool inOrder, int? only = null)
    {
        List<WatchEvent> ours = [.. _tree.Changes.SelectMany(c => _watches.Fire(c, MayRead))];
        for (int who = 0; who < 2; who++)
        {
            if (only is int one && one != who)
            {
                continue;
            }
            // A read behind the write: whatever the write fired is there before its answer.
            _clients[who].Call(OpCode.Exists, new PathWatchRequest("/", false));
            IEnumerable<string> theirs = _clients[who].Events.Select(e => e.ToString());
            IEnumerable<string> own = ours.Where(e => e.SessionId == _clients[who].SessionId).Select(e => e.ToString());
            Same(string.Join(' ', inOrder ? theirs : theirs.Order()), string.Join(' ', inOrder ? own : own.Order()));
            _clients[who].Events.Clear();
        }
    }

    private MultiOp AnyWrite(bool forMulti)
    {
        string path = AnyPath();
        ReadOnlyMemory<byte>? data = _random.Next(6) == 0 ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(new string('d', _random.Next(9)));
        int version = _random.Next(3) == 0 ? _random.Next(4) : -1;
        return _random.Next(forMulti ? 9 : 12) switch
        {
            < 4 => new MultiOp(_random.Next(2) == 0 ? OpCode.Create : OpCode.Create2, path, data, AnyAcl(), _random.Next(20) == 0 ? 9 : _random.Next(4), -1, 0),
            4 => new MultiOp(OpCode.CreateContainer, path, data, AnyAcl(), 4, -1, 0),
            5 => new MultiOp(OpCode.CreateTtl, path, data, AnyAcl(), 5 + _random.Next(2), _random.Next(5) == 0 ? -1 : 1_000_000, 0),
            6 => new MultiOp(OpCode.SetData, path, data, [], 0, 0, version),
            7 => new MultiOp(OpCode.Delete, path, null, [], 0, 0, version),
            8 => new MultiOp(forMulti ? OpCode.Check : OpCode.Delete, path, null, [], 0, 0, version),
            9 => new MultiOp(OpCode.SetAcl, path, null, AnyAcl(), 0, 0, version),
            10 => new MultiOp(OpCode.SetData, path, data, [], 0, 0, version),
            _ => new MultiOp(OpCode.Delete, path, null, [], 0, 0, -1),
        };
    }

    private string AnyPath() => _random.Next(25) == 0
        ? Strange[_random.Next(Strange.Length)]
        : "/" + string.Join('/', Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _random.Next(5)));

    private Acl[] AnyAcl() => _random.Next(16) switch
    {
        0 => [],
        1 => [new Acl(31, new AclId("auth", ""))],
        2 => [new Acl(31, new AclId("digest", "u0:x")), new Acl(17, new AclId("ip", "127.0.0.0/8"))],
        3 => [new Acl(31, new AclId("nonsense", "x"))],
        4 => [new Acl(31, new AclId("ip", "300.1.1.1"))],
        5 => [new Acl(31, new AclId("world", "somebody"))],
        6 => [new Acl(_random.Next(32), new AclId("world", "anyone")), new Acl(31, new AclId("auth", "")), new Acl(31, new AclId("auth", ""))],
        7 => [new Acl(31, new AclId("digest", "u0")), new Acl(31, new AclId("world", "anyone"))],
        _ => Trees.Open,
    };

    private bool MayRead(long session, IReadOnlyList<Acl> acl) =>
        AccessRules.Allows(acl, Permissions.Read, _callers.First(c => c.SessionId == session).Identities);

    private void Same<T>(T theirs, T ours)
    {
        if (!EqualityComparer<T>.Default.Equals(theirs, ours))
        {
            Assert.Fail($"{_step}\nZooKeeper: {theirs}\nours:      {ours}");
        }
    }

    // A plain create answers with the path alone.
    private static string Shown(MultiResult r) => $"{r.Type} {r.Err} {r.Path} {(r.Type == OpCode.Create ? default : Timeless(r.Stat))}";

    private static Stat Timeless(Stat stat) => stat with { Ctime = 0, Mtime = 0 };

    private static string Hex(ReadOnlyMemory<byte>? data) => data is { } d ? Convert.ToHexString(d.Span) : "null";
}
