using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Skep.Manager.Tests.Control;

public sealed class SecretAndConfigTests : IDisposable
{
    private const string NameWords = "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]";
    private readonly ControlCluster cluster = new();

    [Fact]
    public async Task A_secret_s_data_is_kept_and_never_shown()
    {
        Secret made = await cluster.CreateSecret("key");
        Secret got = (await cluster.Api.GetSecret(new() { SecretId = made.Id }, null!)).Secret;
        Secret listed = Assert.Single((await cluster.Api.ListSecrets(new(), null!)).Secrets);
        Secret updated = (await cluster.Api.UpdateSecret(new() { SecretId = made.Id, SecretVersion = got.Meta.Version, Spec = got.Spec }, null!)).Secret;
        Assert.All([made, got, listed, updated], s => Assert.True(s.Spec.Data.IsEmpty));
        Assert.Equal("s3cret", cluster.Get<Secret>(made.Id).Spec.Data.ToStringUtf8());
    }

    [Fact]
    public async Task A_config_s_data_is_shown()
    {
        Config made = await cluster.CreateConfig("conf");
        Assert.Equal("x=1", (await cluster.Api.GetConfig(new() { ConfigId = made.Id }, null!)).Config.Spec.Data.ToStringUtf8());
    }

    [Theory]
    [InlineData("", "name must be provided")]
    [InlineData(".a", NameWords)]
    [InlineData("a-", NameWords)]
    [InlineData("a b", NameWords)]
    [InlineData("long", NameWords)]
    public async Task A_bad_name_is_refused_and_nothing_is_created(string name, string words)
    {
        name = name == "long" ? new string('a', 65) : name;
        await ControlCluster.Refused(StatusCode.InvalidArgument, words, () => cluster.CreateSecret(name));
        await ControlCluster.Refused(StatusCode.InvalidArgument, words, () => cluster.CreateConfig(name));
        Assert.Equal(0, cluster.Count<Secret>() + cluster.Count<Config>());
    }

    [Fact]
    public async Task Names_with_dots_inside_are_fine_and_given_once()
    {
        await cluster.CreateSecret("a.b_c-d");
        await cluster.CreateConfig("a.b_c-d");
        await ControlCluster.Refused(StatusCode.AlreadyExists, "secret a.b_c-d already exists", () => cluster.CreateSecret("a.b_c-d"));
        await ControlCluster.Refused(StatusCode.AlreadyExists, "config a.b_c-d already exists", () => cluster.CreateConfig("a.b_c-d"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500 * 1024)]
    public Task A_secret_is_neither_empty_nor_too_large(int sizeBytes) => ControlCluster.Refused(
        StatusCode.InvalidArgument,
        "secret data must be larger than 0 and less than 512000 bytes",
        () => cluster.CreateSecret("key", new string('x', sizeBytes)));

    [Theory]
    [InlineData(0)]
    [InlineData(1000 * 1024)]
    public Task A_config_is_neither_empty_nor_too_large(int sizeBytes) => ControlCluster.Refused(
        StatusCode.InvalidArgument,
        "config data must be larger than 0 and less than 1024000 bytes",
        () => cluster.CreateConfig("conf", new string('x', sizeBytes)));

    [Fact]
    public async Task The_largest_ones_are_taken()
    {
        await cluster.CreateSecret("key", new string('x', (500 * 1024) - 1));
        await cluster.CreateConfig("conf", new string('x', (1000 * 1024) - 1));
    }

    [Fact]
    public async Task Only_labels_change()
    {
        Secret secret = await cluster.CreateSecret("key");
        Config config = await cluster.CreateConfig("conf");
        var labelled = new Annotations { Name = "key", Labels = { ["a"] = "b" } };
        await cluster.Api.UpdateSecret(new() { SecretId = secret.Id, SecretVersion = secret.Meta.Version, Spec = new() { Annotations = labelled } }, null!);
        Assert.Equal("b", cluster.Get<Secret>(secret.Id).Spec.Annotations.Labels["a"]);
        Assert.Equal("s3cret", cluster.Get<Secret>(secret.Id).Spec.Data.ToStringUtf8());

        const string Words = "only updates to Labels are allowed";
        await ControlCluster.Refused(StatusCode.InvalidArgument, Words, () => cluster.Api.UpdateSecret(
            new() { SecretId = secret.Id, SecretVersion = secret.Meta.Version, Spec = new() { Annotations = labelled, Data = ByteString.CopyFromUtf8("other") } }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, Words, () => cluster.Api.UpdateConfig(
            new() { ConfigId = config.Id, ConfigVersion = config.Meta.Version, Spec = new() { Annotations = new() { Name = "other" } } }, null!));
        await ControlCluster.Refused(StatusCode.Unknown, "update out of sequence", () => cluster.Api.UpdateSecret(
            new() { SecretId = secret.Id, SecretVersion = secret.Meta.Version, Spec = new() { Annotations = labelled } }, null!));
    }

    [Fact]
    public async Task What_is_in_use_is_not_removed_and_its_users_are_named()
    {
        Secret secret = await cluster.CreateSecret("key");
        Config config = await cluster.CreateConfig("conf");
        foreach (string name in new[] { "two", "one" })
        {
            ServiceSpec spec = ControlCluster.ServiceSpec(name);
            spec.Task.Container.Secrets.Add(new SecretReference { SecretId = secret.Id, SecretName = "key", File = new() { Name = "key" } });
            spec.Task.Container.Configs.Add(new ConfigReference { ConfigId = config.Id, ConfigName = "conf", File = new() { Name = "conf" } });
            await cluster.CreateService(spec);
        }
        await ControlCluster.Refused(StatusCode.InvalidArgument, "secret 'key' is in use by the following services: one, two", () => cluster.Api.RemoveSecret(new() { SecretId = secret.Id }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "config 'conf' is in use by the following services: one, two", () => cluster.Api.RemoveConfig(new() { ConfigId = config.Id }, null!));
    }

    [Fact]
    public async Task Names_and_prefixes_are_alternatives_and_internal_secrets_are_hidden()
    {
        Secret a = await cluster.CreateSecret("alpha");
        Secret b = await cluster.CreateSecret("beta");
        cluster.Add(new Secret { Id = "hidden", Internal = true, Spec = new() { Annotations = new() { Name = "gamma" } } });
        var both = (await cluster.Api.ListSecrets(new() { Filters = new() { Names = { "ALPHA" }, IdPrefixes = { b.Id } } }, null!)).Secrets;
        Assert.Equal(new[] { a.Id, b.Id }.Order(StringComparer.Ordinal), both.Select(s => s.Id));
        Assert.Equal(2, (await cluster.Api.ListSecrets(new(), null!)).Secrets.Count);
    }

    [Fact]
    public async Task Removing_removes_and_what_is_gone_is_not_found()
    {
        Secret secret = await cluster.CreateSecret("key");
        Config config = await cluster.CreateConfig("conf");
        await cluster.Api.RemoveSecret(new() { SecretId = secret.Id }, null!);
        await cluster.Api.RemoveConfig(new() { ConfigId = config.Id }, null!);
        await ControlCluster.Refused(StatusCode.NotFound, $"could not find secret {secret.Id}", () => cluster.Api.RemoveSecret(new() { SecretId = secret.Id }, null!));
        await ControlCluster.Refused(StatusCode.NotFound, $"could not find config {config.Id}", () => cluster.Api.RemoveConfig(new() { ConfigId = config.Id }, null!));
        await ControlCluster.Refused(StatusCode.NotFound, $"secret {secret.Id} not found", () => cluster.Api.GetSecret(new() { SecretId = secret.Id }, null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "secret ID must be provided", () => cluster.Api.GetSecret(new(), null!));
        await ControlCluster.Refused(StatusCode.InvalidArgument, "config ID must be provided", () => cluster.Api.RemoveConfig(new(), null!));
    }

    [Fact]
    public async Task A_secret_driver_is_refused()
    {
        await ControlCluster.Refused(StatusCode.InvalidArgument, "secret driver must have a name", () => Make(new()));
        await ControlCluster.RefusedAbout(StatusCode.Unimplemented, "secret driver vault cannot be used", () => Make(new() { Name = "vault" }));
        Task Make(Driver driver) => cluster.Api.CreateSecret(new() { Spec = new() { Annotations = new() { Name = "key" }, Driver = driver } }, null!);
    }

    public void Dispose() => cluster.Dispose();
}
