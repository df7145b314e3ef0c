using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Raft;
using Skep.Store.Durability;

namespace Skep.Store.Tests.Durability;

public sealed class DurableStoreTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder folder = new();

    private DurableStoreOptions Options => CommittingChild.Options(folder.Path);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Objects_come_back_under_the_versions_they_had()
    {
        ulong first, second, last;
        await using (DurableStore durable = await Opened.AsLeaderAsync(Options))
        {
            first = await durable.Store.UpdateAsync(tx => tx.Create(Services.Make("a")));
            second = await durable.Store.UpdateAsync(tx => tx.Create(Services.Make("b")));
            last = await durable.Store.UpdateAsync(tx => tx.Remove<Service>("b"));
        }

        await using DurableStore again = await Opened.AsLeaderAsync(Options);
        Service service = Assert.Single(again.Store.Read(v => v.List<Service>().ToList()));
        Assert.Equal(first, service.Meta.Version.Index);
        Assert.Equal(last, again.Store.Version);
        Assert.True(first < second && second < last);
        Assert.True(await again.Store.UpdateAsync(tx => tx.Create(Services.Make("c"))) > last);
    }

    [Fact]
    public async Task A_version_is_the_index_of_the_transaction_in_the_log()
    {
        await using DurableStore durable = await Opened.AsLeaderAsync(Options);
        ulong version = await durable.Store.UpdateAsync(tx => tx.Create(Services.Make("a")));
        Assert.Equal(durable.Metrics.AppliedIndex, version);
        Assert.Equal(version, durable.Store.Read(v => v.Get<Service>("a"))!.Meta.Version.Index);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fields_that_this_version_does_not_know_survive(bool throughSnapshot)
    {
        // Field 4000 of a service and of its spec, as a client of another era may send it.
        Service strange = Service.Parser.ParseFrom([.. Services.Make("strange").ToByteArray(), .. UnknownField("kept")]);
        strange.Spec = ServiceSpec.Parser.ParseFrom([.. strange.Spec.ToByteArray(), .. UnknownField("kept too")]);
        DurableStoreOptions options = Options with { SnapshotEveryEntries = throughSnapshot ? 10UL : 1_000_000 };
        Service stored;
        await using (DurableStore durable = await Opened.AsLeaderAsync(options))
        {
            await durable.Store.UpdateAsync(tx => tx.Create(strange));
            for (int i = 0; i < 50 || (throughSnapshot && durable.Metrics.SnapshotIndex < 20); i++)
            {
                await durable.Store.UpdateAsync(tx => tx.Create(Services.Make($"s{i}")));
            }
            stored = durable.Store.Read(v => v.Get<Service>("strange"))!;
        }

        await using DurableStore again = await Opened.AsLeaderAsync(options);
        Service back = again.Store.Read(v => v.Get<Service>("strange"))!;
        Assert.Equal(stored.ToByteArray(), back.ToByteArray());
        Assert.True(back.ToByteArray().AsSpan().IndexOf("kept"u8) >= 0 && back.Spec.ToByteArray().AsSpan().IndexOf("kept too"u8) >= 0);
    }

    [Fact]
    public async Task The_whole_store_comes_back_from_a_snapshot()
    {
        DurableStoreOptions options = Options with { SnapshotEveryEntries = 20, KeepEntries = 0 };
        Snapshot before;
        await using (DurableStore durable = await Opened.AsLeaderAsync(options))
        {
            await durable.Store.UpdateAsync(tx =>
            {
                tx.Create(new Node { Id = "node" });
                tx.Create(new Network { Id = "network", Spec = new() { Annotations = new() { Name = "network" } } });
                tx.Create(new Cluster { Id = "cluster", Spec = new() { Annotations = new() { Name = "default" } } });
                tx.Create(new Secret { Id = "secret", Spec = new() { Annotations = new() { Name = "secret" }, Data = ByteString.CopyFromUtf8("s") } });
                tx.Create(new Config { Id = "config", Spec = new() { Annotations = new() { Name = "config" } } });
            });
            await durable.Store.BatchAsync(Enumerable.Range(0, 1_000), (tx, i) => tx.Create(new SwarmTask { Id = $"task-{i}", ServiceId = "service", Slot = (ulong)i }));
            for (int i = 0; i < 100 || durable.Metrics.SnapshotIndex < 40; i++)
            {
                await durable.Store.UpdateAsync(tx => tx.Create(Services.Make($"s{i}")));
            }
            before = durable.Store.TakeSnapshot();
        }

        await using DurableStore again = await Opened.AsLeaderAsync(options);
        Snapshot after = again.Store.TakeSnapshot();
        Assert.Equal(Sorted(before.Store), Sorted(after.Store));
        Assert.Equal(1_000, again.Store.Read(v => v.TasksByService("service").Count()));
    }

    [Fact]
    public void A_snapshot_in_pieces_is_the_one_message()
    {
        var snapshot = new Snapshot { Membership = new(), Store = new() };
        snapshot.Store.Services.AddRange(Enumerable.Range(0, 1_234).Select(i => Services.Make($"s{i}")));
        snapshot.Store.Tasks.AddRange(Enumerable.Range(0, 567).Select(i => new SwarmTask { Id = $"t{i}" }));
        using var output = new MemoryStream();
        SnapshotStream.Write(snapshot, output, CancellationToken.None);
        Assert.Equal(snapshot, Snapshot.Parser.ParseFrom(output.ToArray()));
    }

    [Fact]
    public async Task A_damaged_record_in_the_middle_keeps_the_store_from_opening_and_is_named()
    {
        await using (DurableStore durable = await Opened.AsLeaderAsync(Options))
        {
            for (int i = 0; i < 20; i++)
            {
                await durable.Store.UpdateAsync(tx => tx.Create(Services.Make($"s{i}")));
            }
        }
        string file = Directory.GetFiles(folder.Log, "*.seg").Order().First();
        byte[] bytes = await File.ReadAllBytesAsync(file);
        int middle = 4096 + ((bytes.Length - 4096) / 2);
        bytes[middle] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        LogCorruptException refused = await Assert.ThrowsAsync<LogCorruptException>(() => Opened.AsLeaderAsync(Options));
        Assert.Equal(file, refused.File);
        Assert.InRange(refused.OffsetBytes, 4096, middle);
        Assert.Contains($"{file} is corrupt at offset {refused.OffsetBytes}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_closed_refuses_writes_and_can_still_be_read()
    {
        DurableStore durable = await Opened.AsLeaderAsync(Options);
        await durable.Store.UpdateAsync(tx => tx.Create(Services.Make("a")));
        await durable.DisposeAsync();
        StoreException refused = await Assert.ThrowsAsync<StoreException>(() => durable.Store.UpdateAsync(tx => tx.Create(Services.Make("b"))).WaitAsync(Patience));
        Assert.Equal(StoreErrorKind.Stopped, refused.Kind);
        Assert.Single(durable.Store.Read(v => v.List<Service>().ToList()));
    }

    [Fact]
    public async Task Another_nodes_directory_is_refused()
    {
        await (await Opened.AsLeaderAsync(Options)).DisposeAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => Opened.AsLeaderAsync(Options with { MemberId = 2 }));
    }

    private static byte[] UnknownField(string text)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(4000, WireFormat.WireType.LengthDelimited);
            output.WriteString(text);
        }
        return bytes.ToArray();
    }

    private static List<string> Sorted(StoreSnapshot s) =>
        [.. new IEnumerable<IMessage>[] { s.Nodes, s.Services, s.Networks, s.Tasks, s.Clusters, s.Secrets, s.Configs }
            .SelectMany(list => list.Select(o => Convert.ToBase64String(o.ToByteArray())).Order(StringComparer.Ordinal))];
}
