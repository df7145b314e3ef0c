using System.CommandLine;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;

namespace Swarmctl.Configs;

/// <summary><c>swarmctl config …</c></summary>
internal static class ConfigCommands
{
    private static readonly Argument<string[]> NewName = Verb.Words("config name");
    private static readonly Argument<string[]> Words = Verb.Words("config ID or name");
    private static readonly Option<bool> Quiet = CommonFlags.Quiet("Only display config IDs");
    private static readonly Option<string> File = new("--file", "-f") { Description = "Rather than read the config from STDIN, read from the given file", HelpName = "string" };

    public static Command All() => Verb.Group(
        "config", "Config management",
        Verb.Make("create", "Create a config", CreateAsync, NewName, File),
        Verb.Make("inspect", "Inspect a config", InspectAsync, Words),
        Verb.Make("ls", "List configs", ListAsync, Quiet),
        Verb.Make("remove", "Remove a config", RemoveAsync, Words).Alias("rm"));

    private static async Task CreateAsync(Session s, CancellationToken ct)
    {
        var spec = new ConfigSpec { Annotations = new() { Name = s.One(NewName, "create command takes a unique config name as an argument, and accepts config data via stdin or via a file") } };
        spec.Data = ByteString.CopyFrom(await DataFlag.ReadAsync(s, File, ct).ConfigureAwait(false));
        s.Output.WriteLine((await s.Control.CreateConfigAsync(new() { Spec = spec }, cancellationToken: ct).ConfigureAwait(false)).Config.Id);
    }

    private static async Task InspectAsync(Session s, CancellationToken ct)
    {
        Config config = await s.ConfigAsync(s.One(Words, "inspect command takes a single config ID or name"), ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(config);
            return;
        }
        s.Output.Write(NamedObjectText.Summary(config.Id, config.Spec?.Annotations, config.Meta));
    }

    private static async Task ListAsync(Session s, CancellationToken ct)
    {
        List<Config> configs = [.. (await s.Control.ListConfigsAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Configs.OrderByDescending(x => x.Meta?.CreatedAt?.ToDateTimeOffset())];
        if (s.Json)
        {
            s.WriteJson(configs);
            return;
        }
        if (s.Flags.GetValue(Quiet))
        {
            configs.ForEach(x => s.Output.WriteLine(x.Id));
            return;
        }
        var table = new TabText(0, 4);
        table.Header("ID", "Name", "Created");
        configs.ForEach(x => table.Line($"{x.Id}\t{x.Spec?.Annotations?.Name}\t{HumanTime.Ago(x.Meta?.CreatedAt, s.Now)}"));
        s.Output.Write(table);
    }

    private static async Task RemoveAsync(Session s, CancellationToken ct)
    {
        Config config = await s.ConfigAsync(s.One(Words, "remove command takes a single config ID or name"), ct).ConfigureAwait(false);
        await s.Control.RemoveConfigAsync(new() { ConfigId = config.Id }, cancellationToken: ct).ConfigureAwait(false);
        s.Output.WriteLine(config.Id);
    }
}
