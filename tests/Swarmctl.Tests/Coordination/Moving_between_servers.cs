using System.Text.Json;
using Skep.Coordination.Client;
using Skep.Coordination.Tests.Differential;
using Swarmctl.Coordination.Moving;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Tests.Coordination;

public sealed class Moving_between_servers
{
    private const int Seed = 4711;

    // Snapshots and new logs every few writes, while writes go on.
    private const string ManySnapshots = "snapCount=200\nsnapshot.compression.method=snappy\nmaxClientCnxns=0\n";

    // Of the password "admin".
    private const string SuperDigest = "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=";

    [Fact]
    public async Task What_one_ZooKeeper_stored_another_serves_and_a_third_starts_from()
    {
        using RealZooKeeper first = RealZooKeeper.StartOrSkip(ManySnapshots);
        using RealZooKeeper second = RealZooKeeper.StartOrSkip($"DigestAuthenticationProvider.superDigest={SuperDigest}\nmaxClientCnxns=0\n");
        List<string> original;
        string next;
        await using (CoordinationClient client = await ConnectAsync(first))
        {
            await Trees.FillAsync(client, Seed);
            original = await Trees.DescribeAsync(client);
            first.Stop();
            next = "/queue/entry-0000000040";
        }

        // The whole, into an empty server, by someone who has no right to most of it.
        await using CoordinationClient reader = await ConnectAsync(second);
        var command = new Command($"127.0.0.1:{second.Port}");
        await command.OutputAsync("import", first.DataFolder, "--dry-run");
        Assert.Equal(["zookeeper"], (await reader.GetChildrenAsync("/")).Children);
        using (JsonDocument report = JsonDocument.Parse(await command.OutputAsync("import", first.DataFolder, "--format", "json")))
        {
            Assert.Equal(original.Count - 1, report.RootElement.GetProperty("made").GetInt32());
            Assert.InRange(report.RootElement.GetProperty("ephemerals_left_out").GetInt32(), 5, 100);
            Assert.Contains("snapshot.", report.RootElement.GetProperty("snapshot").GetString(), StringComparison.Ordinal);
            Assert.InRange(report.RootElement.GetProperty("transactions").GetInt32(), 1, 2000);
        }
        Assert.Equal(original, await Trees.DescribeAsync(reader));
        Assert.Equal(Kinds(first), Kinds(second));

        // Again: not without a word, and elsewhere.
        Assert.Contains("are there already, for instance /big", await command.ErrorAsync("import", first.DataFolder), StringComparison.Ordinal);
        await command.OutputAsync("import", first.DataFolder, "--into", "/deep/copy");
        Assert.Equal(original, await Trees.DescribeAsync(reader, "/deep/copy"));
        await command.OutputAsync("rm", "-r", "/deep", "--auth", "digest:super:admin");
        Assert.Null(await reader.ExistsAsync("/deep"));
        await reader.SetDataAsync("/big", default);
        await command.OutputAsync("import", first.DataFolder, "--overwrite", "--auth", "digest:super:admin");
        Assert.Equal(original.Where(static l => !l.Contains(" null ", StringComparison.Ordinal)), (await Trees.DescribeAsync(reader)).Where(l => original.Contains(l)));

        // From there into a snapshot, from which a third starts.
        List<string> copied = await Trees.DescribeAsync(reader, withStat: true);
        string folder = Directory.CreateTempSubdirectory("swarmctl-export-").FullName;
        try
        {
            (int exitCode, string output, string warning) = await command.RunAsync("", "export", folder, "--auth", "digest:ann:secret");
            Assert.Equal(0, exitCode);
            Assert.Equal("", warning);
            Assert.Contains($"Saved {copied.Count} nodes", output, StringComparison.Ordinal);
            Assert.Contains("not empty", await command.ErrorAsync("export", folder), StringComparison.Ordinal);
            using RealZooKeeper third = RealZooKeeper.StartOrSkip(prepare: data => Directory.Move(folder, data));
            await using CoordinationClient last = await ConnectAsync(third);
            Assert.Equal(copied, await Trees.DescribeAsync(last, withStat: true));
            Assert.Equal(next, (await last.CreateAsync("/queue/entry-", mode: CreateMode.PersistentSequential)).Path);
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Assert.Contains("--coordination-words", await command.ErrorAsync("sessions"), StringComparison.Ordinal);

        // Who may not read all of it saves nothing.
        string refused = await command.ErrorAsync("export", Path.Combine(Path.GetTempPath(), $"snapshot-{Guid.NewGuid():N}"));
        Assert.Contains("without the digests", refused, StringComparison.Ordinal);
    }

    // What the protocol does not tell, the files do.
    private static List<string> Kinds(RealZooKeeper server) =>
        [.. ZooKeeperFolder.Read([server.DataFolder], Assert.Fail).Tree.Nodes
            .Where(static n => n.Value.Kind is not (NodeKind.Ephemeral or NodeKind.Persistent))
            .Select(static n => $"{n.Key} {n.Value.Kind} {n.Value.TtlMs}").Order(StringComparer.Ordinal)];

    private static async Task<CoordinationClient> ConnectAsync(RealZooKeeper server) => await CoordinationClient.ConnectAsync(new CoordinationClientOptions
    {
        Servers = [$"127.0.0.1:{server.Port}"],
        Auth = [Trees.Ann],
        ConnectTimeout = TimeSpan.FromSeconds(60),
    });
}
