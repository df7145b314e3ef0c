using System.Text;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Coordination.Tests.Differential;

/// <summary>The same seeded stream of writes below quotas to a real ZooKeeper that enforces them and to our tree: the same errors, the same figures.</summary>
public sealed class Quotas_are_as_zookeepers
{
    private static readonly string[] Paths = ["/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/e", "/e/f"];

    [Fact]
    public void Over_a_seeded_stream_of_writes()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("SKEP_SEED"), out int asked) ? asked : 20_262;
        using RealZooKeeper real = RealZooKeeper.StartOrSkip("enforceQuota=true\n");
        using RawClient client = real.Connect(static port => new RawClient(port));
        ZnodeTree tree = ZnodeTree.New();
        tree.EnforcesQuotas = true;
        var caller = new Caller(client.SessionId, [new AclId("ip", "127.0.0.1")]);
        tree.OpenSession(client.SessionId, [], new SessionClaim(1, 40_000, []), 1);
        var random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 2_000; i++)
        {
            MultiOp op = Any(random);
            ReplyHeader header = (op.Type switch
            {
                OpCode.SetData => client.Call(op.Type, new SetDataRequest(op.Path, op.Data, op.Version)),
                OpCode.Delete => client.Call(op.Type, new VersionedPathRequest(op.Path, op.Version)),
                _ => client.Call(op.Type, new CreateRequest(op.Path, op.Data, op.Acl, op.Flags)),
            }).Header;
            ErrorCode ours = tree.Apply(caller, op, header.Zxid, 1).Err;
            Assert.True((ErrorCode)header.Err == ours, $"seed {seed}, step {i}: {op}: ZooKeeper says {(ErrorCode)header.Err}, Skep {ours}");
            refused += ours == ErrorCode.QuotaExceeded ? 1 : 0;
            foreach (string path in Paths)
            {
                Compare(client, tree, $"/zookeeper/quota{path}/zookeeper_stats", $"seed {seed}, step {i}: {op}");
            }
        }
        Assert.InRange(refused, 50, 1_500);
    }

    private static MultiOp Any(Random random)
    {
        string path = Paths[random.Next(Paths.Length)];
        string data = new('d', random.Next(6));
        switch (random.Next(20))
        {
            case < 4:
                string of = "/zookeeper/quota" + path;
                return random.Next(5) switch
                {
                    0 => Trees.Create(of),
                    1 => Trees.Create(of + "/zookeeper_limits", data: Limits(random)),
                    2 => Trees.Create(of + "/zookeeper_stats", data: "count=0,bytes=0"),
                    3 => Trees.Set(of + "/zookeeper_limits", Limits(random)),
                    _ => random.Next(4) == 0 ? Trees.Delete(of + (random.Next(2) == 0 ? "/zookeeper_limits" : "/zookeeper_stats")) : Trees.Create(of),
                };
            case < 11:
                return Trees.Create(path, data: data);
            case < 14:
                return Trees.Delete(path);
            default:
                return Trees.Set(path, data, random.Next(3) == 0 ? random.Next(3) : -1);
        }
    }

    private static string Limits(Random random)
    {
        var text = new StringBuilder($"count={random.Next(-1, 4)},bytes={random.Next(-1, 12)}");
        if (random.Next(3) > 0)
        {
            text.Append($"=;byteHardLimit={random.Next(-1, 12)};countHardLimit={random.Next(-1, 4)}");
        }
        return text.ToString();
    }

    private static void Compare(RawClient client, ZnodeTree tree, string path, string step)
    {
        (ReplyHeader header, ReadOnlyMemory<byte> body) = client.Call(OpCode.GetData, new PathWatchRequest(path, false));
        ErrorCode ours = tree.GetData(Caller.Own, path, out GetDataResponse data);
        Assert.Equal((ErrorCode)header.Err, ours);
        if (ours == ErrorCode.Ok)
        {
            var reader = new JuteReader(body);
            string theirs = Text(reader.ReadBuffer()) + Timeless(Stat.Read(ref reader));
            string own = Text(data.Data) + Timeless(data.Stat);
            Assert.True(theirs == own, $"{step}: {path}: ZooKeeper has {theirs}, Skep {own}");
        }
    }

    private static string Text(ReadOnlyMemory<byte>? data) => Encoding.UTF8.GetString(data.GetValueOrDefault().Span);

    private static Stat Timeless(Stat stat) => stat with { Ctime = 0, Mtime = 0 };
}
