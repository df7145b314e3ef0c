using System.Text;
using Skep.Coordination.Client;
using Skep.Jute;

namespace Swarmctl.Tests.Coordination;

/// <summary>Random trees, made through the client and told as text.</summary>
internal static class Trees
{
    public static readonly AuthInfo Ann = AuthInfo.Digest("ann", "secret");

    private static readonly Acl[][] AclPool =
    [
        [.. Acls.Open],
        [Acls.Entry(Permissions.Read, "world", "anyone")],
        [Acls.Entry(Permissions.All, "ip", "127.0.0.1"), Acls.Entry(Permissions.Read, "ip", "10.0.0.0/8")],
        [.. Acls.CreatorAll],
        [.. Acls.CreatorAll, Acls.Entry(Permissions.Read | Permissions.Create, "world", "anyone")],
    ];

    /// <summary>Makes a tree with all kinds of nodes and a history: changes, deletions, failed transactions, ephemeral nodes.</summary>
    public static async Task FillAsync(CoordinationClient client, int seed)
    {
        var random = new Random(seed);
        var paths = new List<string> { "/" };
        var acls = new Dictionary<string, Acl[]>();
        string Under(string parent, string name) => parent == "/" ? "/" + name : $"{parent}/{name}";
        for (int i = 0; i < 300; i++)
        {
            string path = Under(paths[random.Next(paths.Count)], $"node-{i}-ä");
            (CreateMode mode, TimeSpan? ttl) = random.Next(10) switch
            {
                0 => (CreateMode.Container, default(TimeSpan?)),
                1 => (CreateMode.PersistentWithTtl, TimeSpan.FromMinutes(i + 1)),
                _ => (CreateMode.Persistent, null),
            };
            byte[] data = new byte[random.Next(200)];
            random.NextBytes(data);
            ReadOnlyMemory<byte>? given = random.Next(5) == 0 ? default(ReadOnlyMemory<byte>?) : data;
            await client.MultiAsync(new Transaction().Create(path, given, mode, null, ttl));
            paths.Add(path);
            acls[path] = AclPool[random.Next(AclPool.Length)];
            if (random.Next(3) == 0)
            {
                await client.SetDataAsync(path, Encoding.UTF8.GetBytes($"changed {i}"));
            }
            if (random.Next(10) == 0)
            {
                await client.CreateAsync(Under(path, "ephemeral"), mode: CreateMode.Ephemeral);
            }
        }
        await client.CreateAsync("/big", new byte[900_000]);
        await client.CreateAsync("/queue");
        for (int i = 0; i < 40; i++)
        {
            string name = (await client.CreateAsync("/queue/entry-", mode: CreateMode.PersistentSequential)).Path;
            if (i % 3 != 0)
            {
                await client.DeleteAsync(name);
            }
        }
        await Assert.ThrowsAsync<MultiException>(() => client.MultiAsync(new Transaction().Create("/never").Delete("/missing")));
        foreach ((string path, Acl[] acl) in acls)
        {
            await client.SetAclAsync(path, acl);
        }
    }

    /// <summary>Each node in a line, sorted by path.</summary>
    /// <param name="client">Who may read everything.</param>
    /// <param name="from">Whose subtree is told.</param>
    /// <param name="withStat">Whether zxids, times and versions are told too.</param>
    public static async Task<List<string>> DescribeAsync(CoordinationClient client, string from = "/", bool withStat = false)
    {
        var lines = new List<string>();
        var waiting = new Stack<string>([from]);
        while (waiting.TryPop(out string? path))
        {
            NodeData data = await client.GetDataAsync(path);
            NodeAcl acl = await client.GetAclAsync(path);
            bool isEphemeral = data.Stat.EphemeralOwner != 0;
            foreach (string child in (await client.GetChildrenAsync(path)).Children)
            {
                string next = path == "/" ? "/" + child : $"{path}/{child}";
                if (next != "/zookeeper")
                {
                    waiting.Push(next);
                }
            }
            if (isEphemeral)
            {
                continue;
            }
            string shown = data.IsNull ? "null" : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(data.Data.Span));
            string name = from == "/" ? path : path == from ? "/" : path[from.Length..];
            lines.Add($"{name} {shown} {string.Join(' ', acl.Acl.Select(static a => $"{a.Perms}:{a.Id.Scheme}:{a.Id.Name}"))}{(withStat ? $" {data.Stat}" : "")}");
        }
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }
}
