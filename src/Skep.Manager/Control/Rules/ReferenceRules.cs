using Docker.Swarmkit.V1;

namespace Skep.Manager.Control.Rules;

/// <summary>References to secrets and configs: whole, and no two for one file.</summary>
internal static class ReferenceRules
{
    /// <summary>Checks the references of a container.</summary>
    public static void Check(ContainerSpec container)
    {
        CheckSecrets(container.Secrets);
        CheckConfigs(container.Configs, container.Privileges?.CredentialSpec?.Config ?? "");
    }

    /// <summary>Checks references to secrets.</summary>
    public static void CheckSecrets(IEnumerable<SecretReference> references)
    {
        var targets = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SecretReference reference in references)
        {
            if (reference.SecretId.Length == 0 || reference.SecretName.Length == 0)
            {
                throw Refusal.Invalid("malformed secret reference");
            }
            if (reference.TargetCase == SecretReference.TargetOneofCase.None)
            {
                throw Refusal.Invalid("malformed secret reference, no target provided");
            }
            CheckTarget(targets, "secret", reference.SecretName, reference.File);
        }
    }

    /// <summary>Checks references to configs.</summary>
    /// <param name="references">The references.</param>
    /// <param name="credentialConfigId">The config the credential spec names, which must be among them for the runtime; may be empty.</param>
    public static void CheckConfigs(IEnumerable<ConfigReference> references, string credentialConfigId)
    {
        var targets = new Dictionary<string, string>(StringComparer.Ordinal);
        bool credentialFound = credentialConfigId.Length == 0;
        foreach (ConfigReference reference in references)
        {
            if (reference.ConfigId.Length == 0 || reference.ConfigName.Length == 0)
            {
                throw Refusal.Invalid("malformed config reference");
            }
            switch (reference.TargetCase)
            {
                case ConfigReference.TargetOneofCase.None:
                    throw Refusal.Invalid("malformed config reference, no target provided");
                case ConfigReference.TargetOneofCase.File:
                    CheckTarget(targets, "config", reference.ConfigName, reference.File);
                    break;
                case ConfigReference.TargetOneofCase.Runtime:
                    credentialFound |= reference.ConfigId == credentialConfigId;
                    break;
            }
        }
        if (!credentialFound)
        {
            throw Refusal.Invalid($"CredentialSpec references config '{credentialConfigId}', but that config isn't in config references with RuntimeTarget");
        }
    }

    private static void CheckTarget(Dictionary<string, string> targets, string kind, string name, FileTarget file)
    {
        if (file.Name.Length == 0)
        {
            throw Refusal.Invalid($"malformed file {kind} reference, invalid target file name provided");
        }
        if (!targets.TryAdd(file.Name, name))
        {
            throw Refusal.Invalid($"{kind} references '{targets[file.Name]}' and '{name}' have a conflicting target: '{file.Name}'");
        }
    }
}
