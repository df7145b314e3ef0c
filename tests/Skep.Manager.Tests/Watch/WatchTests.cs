using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Manager.Tests.Support;
using Skep.Manager.Watch;
using Skep.Store;
using Entry = Docker.Swarmkit.V1.WatchRequest.Types.WatchEntry;

namespace Skep.Manager.Tests.Watch;

public sealed class WatchTests : IDisposable
{
    private readonly ClusterStore store = new(TimeProvider.System);

    public void Dispose() => store.Dispose();

    [Fact]
    public async Task The_first_message_is_empty_and_every_change_after_it_is_shown_with_its_version()
    {
        Stream<WatchMessage> stream = await OpenAsync(new Entry { Kind = "node" });
        ulong created = await store.UpdateAsync(tx => tx.Create(new Node { Id = "n1" }));
        ulong updated = await ChangeAsync("n1", n => n.Role = NodeRole.Manager);
        ulong removed = await store.UpdateAsync(tx => tx.Remove<Node>("n1"));

        Assert.Equal(
            [(created, WatchActionKind.WatchActionCreate), (updated, WatchActionKind.WatchActionUpdate), (removed, WatchActionKind.WatchActionRemove)],
            await EventsAsync(stream, 3));
    }

    [Fact]
    public async Task Only_the_kinds_and_actions_that_were_asked_for_are_shown()
    {
        Stream<WatchMessage> stream = await OpenAsync(
            new Entry { Kind = "node", Action = WatchActionKind.WatchActionRemove },
            new Entry { Kind = "network", Action = WatchActionKind.WatchActionCreate });
        await store.UpdateAsync(tx => tx.Create(new Node { Id = "n1" }));
        await store.UpdateAsync(tx => tx.Create(new Network { Id = "net", Spec = Named("net") }));
        await store.UpdateAsync(tx => tx.Remove<Node>("n1"));
        Assert.Equal(
            [WatchActionKind.WatchActionCreate, WatchActionKind.WatchActionRemove], (await EventsAsync(stream, 2)).Select(e => e.Action));

        static NetworkSpec Named(string name) => new() { Annotations = new() { Name = name } };
    }

    [Fact]
    public async Task What_was_before_is_shown_when_it_is_asked_for()
    {
        Stream<WatchMessage> stream = await OpenAsync(new WatchRequest { Entries = { new Entry { Kind = "node" } }, IncludeOldObject = true });
        await store.UpdateAsync(tx => tx.Create(new Node { Id = "n1" }));
        await ChangeAsync("n1", n => n.Role = NodeRole.Manager);
        Assert.Null((await stream.NextAsync("the creation")).Events.Single().OldObject);
        WatchMessage.Types.Event update = (await stream.NextAsync("the update")).Events.Single();
        Assert.Equal((NodeRole.Manager, NodeRole.Worker), (update.Object.Node.Role, update.OldObject.Node.Role));
    }

    [Fact]
    public async Task A_watch_resumes_after_the_version_it_saw_last()
    {
        ulong first = await store.UpdateAsync(tx => tx.Create(new Node { Id = "n1" }));
        ulong second = await store.UpdateAsync(tx => tx.Create(new Node { Id = "n2" }));
        Stream<WatchMessage> stream = await OpenAsync(
            new WatchRequest { Entries = { new Entry { Kind = "node" } }, ResumeFrom = new() { Index = first } });
        Assert.Equal(second, (await stream.NextAsync("what was missed")).Version.Index);
    }

    [Fact]
    public async Task A_version_that_is_too_old_or_does_not_exist_yet_is_refused()
    {
        for (int i = 0; i < 2_100; i++)
        {
            await store.UpdateAsync(tx => tx.Create(new Node { Id = $"n{i}" }));
        }
        var request = new WatchRequest { Entries = { new Entry { Kind = "node" } }, ResumeFrom = new() { Index = 5 } };
        Assert.Equal(StatusCode.OutOfRange, (await RefusalAsync(request)).StatusCode);
        request.ResumeFrom.Index = 5_000;
        Assert.Equal(StatusCode.InvalidArgument, (await RefusalAsync(request)).StatusCode);
    }

    [Fact]
    public async Task A_client_that_stops_reading_is_closed_with_the_version_to_resume_from()
    {
        var stream = new Stream<WatchMessage>(capacity: 1);
        using Call call = Call.From("client");
        Task watch = new WatchService(store, backlog: 10).Watch(new() { Entries = { new Entry { Kind = "node" } } }, stream, call);
        for (int i = 0; i < 50; i++)
        {
            await store.UpdateAsync(tx => tx.Create(new Node { Id = $"n{i}" }));
        }
        ulong last = 0;
        while (!watch.IsCompleted || stream.Waiting > 0)
        {
            if (stream.TryNext(out WatchMessage? message))
            {
                last = message!.Version?.Index ?? last;
            }
            await Task.Yield();
        }
        RpcException closed = await Assert.ThrowsAsync<RpcException>(() => watch.Within("the watch is closed"));
        Assert.Equal(StatusCode.Aborted, closed.StatusCode);
        Assert.EndsWith($"resume from version {last}", closed.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no kind of object specified")]
    [InlineData("service", "objects of kind service cannot be selected by Role; only node can")]
    [InlineData("node", "conflicting filters specified")]
    public async Task An_entry_that_makes_no_sense_is_refused(string kind, string reason)
    {
        var entry = new Entry
        {
            Kind = kind,
            Filters = { new SelectBy { Role = NodeRole.Manager }, new SelectBy { Role = NodeRole.Worker } },
        };
        Status refusal = await RefusalAsync(new() { Entries = { entry } });
        Assert.Equal((StatusCode.InvalidArgument, reason), (refusal.StatusCode, refusal.Detail));
    }

    [Fact]
    public async Task A_watch_of_nothing_an_unknown_action_and_an_empty_filter_are_refused()
    {
        Assert.Contains("names a kind", (await RefusalAsync(new())).Detail);
        Assert.Equal("unrecognized action", (await RefusalAsync(new() { Entries = { new Entry { Kind = "node", Action = (WatchActionKind)8 } } })).Detail);
        Assert.Contains("selects by nothing", (await RefusalAsync(new() { Entries = { new Entry { Kind = "node", Filters = { new SelectBy() } } } })).Detail);
    }

    public static TheoryData<string, SelectBy> FiltersOfATask => new()
    {
        { "task", new() { Id = "task-1" } },
        { "task", new() { IdPrefix = "task-" } },
        { "task", new() { Name = "WEB" } },
        { "task", new() { NamePrefix = "we" } },
        { "task", new() { ServiceId = "s" } },
        { "task", new() { NodeId = "n" } },
        { "task", new() { Slot = new() { ServiceId = "s", Slot = 3 } } },
        { "task", new() { DesiredState = TaskState.Running } },
        { "task", new() { ReferencedNetworkId = "net" } },
        { "task", new() { ReferencedSecretId = "sec" } },
        { "task", new() { ReferencedConfigId = "con" } },
        { "task", new() { Custom = new() { Index = "k", Value = "value" } } },
        { "task", new() { CustomPrefix = new() { Index = "k", Value = "va" } } },
    };

    [Theory]
    [MemberData(nameof(FiltersOfATask), DisableDiscoveryEnumeration = true)]
    public void A_filter_passes_what_it_names_and_nothing_else(string kind, SelectBy filter)
    {
        var selector = new WatchSelector([new Entry { Kind = kind, Filters = { filter } }]);
        var task = new SwarmTask
        {
            Id = "task-1",
            ServiceId = "s",
            NodeId = "n",
            Slot = 3,
            DesiredState = TaskState.Running,
            ServiceAnnotations = new() { Name = "web" },
            Annotations = new() { Indices = { new IndexEntry { Key = "k", Val = "value" } } },
            Spec = new()
            {
                Networks = { new NetworkAttachmentConfig { Target = "net" } },
                Container = new() { Secrets = { new SecretReference { SecretId = "sec" } }, Configs = { new ConfigReference { ConfigId = "con" } } },
            },
        };
        Assert.True(selector.Fits(new(StoreChangeKind.Update, task, null)));
        Assert.False(selector.Fits(new(StoreChangeKind.Update, new SwarmTask { Id = "other" }, null)));
        Assert.False(selector.Fits(new(StoreChangeKind.Update, new Node { Id = "task-1" }, null)));
    }

    [Fact]
    public void Resources_are_watched_by_the_kind_of_their_extension()
    {
        var selector = new WatchSelector([new Entry { Kind = "gpu" }]);
        Assert.True(selector.Fits(new(StoreChangeKind.Create, new Resource { Id = "r", Kind = "gpu" }, null)));
        Assert.False(selector.Fits(new(StoreChangeKind.Create, new Resource { Id = "r", Kind = "fpga" }, null)));
    }

    [Fact]
    public async Task No_secret_and_no_key_is_shown_and_the_store_keeps_them()
    {
        Stream<WatchMessage> stream = await OpenAsync(new Entry { Kind = "secret" }, new Entry { Kind = "cluster" });
        await store.UpdateAsync(tx => tx.Create(new Secret { Id = "s", Spec = new() { Annotations = new() { Name = "s" }, Data = ByteString.CopyFromUtf8("data") } }));
        await store.UpdateAsync(tx => tx.Create(new Cluster
        {
            Id = "c",
            Spec = new() { Annotations = new() { Name = "default" } },
            RootCa = new() { CaKey = ByteString.CopyFromUtf8("key"), CaCert = ByteString.CopyFromUtf8("cert") },
            UnlockKeys = { new EncryptionKey() },
        }));
        Assert.Empty((await stream.NextAsync("the secret")).Events.Single().Object.Secret.Spec.Data);
        Cluster cluster = (await stream.NextAsync("the cluster")).Events.Single().Object.Cluster;
        Assert.Empty(cluster.RootCa.CaKey);
        Assert.Empty(cluster.UnlockKeys);
        Assert.Equal("cert", cluster.RootCa.CaCert.ToStringUtf8());
        Assert.Equal("data", store.Read(v => v.Get<Secret>("s"))!.Spec.Data.ToStringUtf8());
    }

    private async Task<Stream<WatchMessage>> OpenAsync(params Entry[] entries) => await OpenAsync(new WatchRequest { Entries = { entries } });

    private async Task<Stream<WatchMessage>> OpenAsync(WatchRequest request)
    {
        var stream = new Stream<WatchMessage>();
        _ = new WatchService(store).Watch(request, stream, Call.From("client"));
        Assert.Equal(new(), await stream.NextAsync("the empty message"));
        return stream;
    }

    private async Task<Status> RefusalAsync(WatchRequest request)
    {
        using Call call = Call.From("client");
        return (await Assert.ThrowsAsync<RpcException>(() => new WatchService(store).Watch(request, new Stream<WatchMessage>(), call).Within("the refusal"))).Status;
    }

    private async Task<ulong> ChangeAsync(string id, Action<Node> change) => await store.UpdateAsync(tx =>
    {
        Node node = tx.Get<Node>(id)!.Clone();
        change(node);
        tx.Update(node);
    });

    private static async Task<List<(ulong Version, WatchActionKind Action)>> EventsAsync(Stream<WatchMessage> stream, int count)
    {
        var events = new List<(ulong, WatchActionKind)>();
        while (events.Count < count)
        {
            WatchMessage message = await stream.NextAsync($"event {events.Count}");
            events.AddRange(message.Events.Select(e => (message.Version.Index, e.Action)));
        }
        return events;
    }
}
