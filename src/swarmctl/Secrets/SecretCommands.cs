using System.CommandLine;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Output;

namespace Swarmctl.Secrets;

/// <summary><c>swarmctl secret …</c></summary>
internal static class SecretCommands
{
    private static readonly Argument<string[]> NewName = Verb.Words("secret name");
    private static readonly Argument<string[]> Words = Verb.Words("secret ID or name");
    private static readonly Option<bool> Quiet = CommonFlags.Quiet("Only display secret IDs");
    private static readonly Option<string> File = new("--file", "-f") { Description = "Rather than read the secret from STDIN, read from the given file", HelpName = "string" };
    private static readonly Option<string> Driver = new("--driver", "-d") { Description = "Rather than read the secret from STDIN, read the value from an external secret driver", HelpName = "string" };

    public static Command All() => Verb.Group(
        "secret", "Secrets management",
        Verb.Make("create", "Create a secret", CreateAsync, NewName, Driver, File),
        Verb.Make("inspect", "Inspect a secret", InspectAsync, Words),
        Verb.Make("ls", "List secrets", ListAsync, Quiet),
        Verb.Make("remove", "Remove a secret", RemoveAsync, Words).Alias("rm"));

    private static async Task CreateAsync(Session s, CancellationToken ct)
    {
        var spec = new SecretSpec { Annotations = new() { Name = s.One(NewName, "create command takes a unique secret name as an argument, and accepts secret data via stdin or via a file") } };
        if (s.Has(Driver) && s.Has(File))
        {
            throw new UserException("secret data cannot be provided when using a driver: give either --driver or --file");
        }
        if (s.Has(Driver))
        {
            spec.Driver = new() { Name = s.Flags.GetValue(Driver) };
        }
        else
        {
            spec.Data = ByteString.CopyFrom(await DataFlag.ReadAsync(s, File, ct).ConfigureAwait(false));
        }
        s.Output.WriteLine((await s.Control.CreateSecretAsync(new() { Spec = spec }, cancellationToken: ct).ConfigureAwait(false)).Secret.Id);
    }

    private static async Task InspectAsync(Session s, CancellationToken ct)
    {
        Secret secret = await s.SecretAsync(s.One(Words, "inspect command takes a single secret ID or name"), ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(secret);
            return;
        }
        s.Output.Write(NamedObjectText.Summary(secret.Id, secret.Spec?.Annotations, secret.Meta));
    }

    private static async Task ListAsync(Session s, CancellationToken ct)
    {
        List<Secret> secrets = [.. (await s.Control.ListSecretsAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Secrets.OrderByDescending(x => x.Meta?.CreatedAt?.ToDateTimeOffset())];
        if (s.Json)
        {
            s.WriteJson(secrets);
            return;
        }
        if (s.Flags.GetValue(Quiet))
        {
            secrets.ForEach(x => s.Output.WriteLine(x.Id));
            return;
        }
        var table = new TabText(0, 4);
        table.Header("ID", "Name", "Driver", "Created");
        secrets.ForEach(x => table.Line($"{x.Id}\t{x.Spec?.Annotations?.Name}\t{x.Spec?.Driver?.Name}\t{HumanTime.Ago(x.Meta?.CreatedAt, s.Now)}"));
        s.Output.Write(table);
    }

    private static async Task RemoveAsync(Session s, CancellationToken ct)
    {
        Secret secret = await s.SecretAsync(s.One(Words, "remove command takes a single secret ID or name"), ct).ConfigureAwait(false);
        await s.Control.RemoveSecretAsync(new() { SecretId = secret.Id }, cancellationToken: ct).ConfigureAwait(false);
        s.Output.WriteLine(secret.Id);
    }
}
