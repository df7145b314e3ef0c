using System.CommandLine;
using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using Swarmctl.Connection;
using Swarmctl.Flags;
using F = Swarmctl.Services.ServiceFlags;

namespace Swarmctl.Services;

/// <summary>Secrets and configs given to a task and taken from it: <c>name[:target]</c>.</summary>
internal static class ReferenceFlags
{
    private const uint DefaultMode = 0x124; // 0444

    public static async Task MergeAsync(Session s, RepeatedField<SecretReference> secrets, RepeatedField<ConfigReference> configs, CancellationToken ct)
    {
        foreach ((string name, string target) in Pairs(s, F.Secret).Concat(Pairs(s, F.AddSecret)).ToList())
        {
            Secret? found = (await s.Control.ListSecretsAsync(new() { Filters = new() { Names = { name } } }, cancellationToken: ct).ConfigureAwait(false)).Secrets.FirstOrDefault();
            secrets.Add(new SecretReference
            {
                SecretId = found?.Id ?? throw new UserException($"secret not found: {name}"),
                SecretName = name,
                File = new() { Name = target, Uid = "0", Gid = "0", Mode = DefaultMode },
            });
        }
        foreach ((string name, string target) in Pairs(s, F.Config).Concat(Pairs(s, F.AddConfig)).ToList())
        {
            Config? found = (await s.Control.ListConfigsAsync(new() { Filters = new() { Names = { name } } }, cancellationToken: ct).ConfigureAwait(false)).Configs.FirstOrDefault();
            configs.Add(new ConfigReference
            {
                ConfigId = found?.Id ?? throw new UserException($"config not found: {name}"),
                ConfigName = name,
                File = new() { Name = target, Uid = "0", Gid = "0", Mode = DefaultMode },
            });
        }
        Remove(secrets, Pairs(s, F.RmSecret), r => r.SecretName);
        Remove(configs, Pairs(s, F.RmConfig), r => r.ConfigName);
    }

    private static void Remove<T>(RepeatedField<T> references, IEnumerable<(string Name, string Target)> removed, Func<T, string> nameOf)
    {
        HashSet<string> names = [.. removed.Select(r => r.Name)];
        foreach (T reference in references.Where(r => names.Contains(nameOf(r))).ToList())
        {
            references.Remove(reference);
        }
    }

    private static IEnumerable<(string Name, string Target)> Pairs(Session s, Option<string[]> flag)
    {
        foreach (string text in s.Values(flag))
        {
            string[] parts = text.Split(':', 2, StringSplitOptions.TrimEntries);
            yield return parts.All(p => p.Length > 0)
                ? (parts[0], parts[^1])
                : throw new UserException($"invalid argument \"{text}\" for {flag.Name}: expected name[:target]");
        }
    }
}
