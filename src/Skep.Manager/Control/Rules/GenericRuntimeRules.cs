using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Api;
using Skep.V1;

namespace Skep.Manager.Control.Rules;

/// <summary>Runtimes that are not containers. What is asked of `process` is known here; others are passed on as they are.</summary>
internal static class GenericRuntimeRules
{
    private const string ProcessTypeName = "skep.v1.ProcessSpec";

    /// <summary>Checks the generic runtime of a task spec.</summary>
    public static void Check(TaskSpec spec)
    {
        GenericRuntimeSpec generic = spec.Generic;
        if (generic.Kind.Length < 3)
        {
            throw Refusal.Invalid($"Generic runtime: Invalid name {Refusal.Quote(generic.Kind)}");
        }
        if (generic.Kind.ToLowerInvariant() is ObjectNames.ContainerRuntime or ObjectNames.AttachmentRuntime)
        {
            throw Refusal.Invalid($"Generic runtime: {Refusal.Quote(generic.Kind)} is a reserved name");
        }
        if (generic.Payload is not { } payload)
        {
            throw Refusal.Invalid("Generic runtime is missing payload");
        }
        if (payload.TypeUrl.Length == 0)
        {
            throw Refusal.Invalid("Generic runtime is missing payload type");
        }
        if (payload.Value.IsEmpty)
        {
            throw Refusal.Invalid("Generic runtime has an empty payload");
        }
        if (ProcessOf(spec) is { } process)
        {
            CheckProcess(process, spec);
        }
    }

    /// <summary>What a task of the process runtime runs; null for every other runtime.</summary>
    /// <exception cref="Grpc.Core.RpcException">The payload is none.</exception>
    public static ProcessSpec? ProcessOf(TaskSpec? spec)
    {
        if (spec?.Generic is not { Kind: NodeTraits.ProcessRuntime } generic)
        {
            return null;
        }
        if (generic.Payload?.TypeUrl.Split('/')[^1] != ProcessTypeName)
        {
            throw Refusal.Invalid($"Generic runtime: payload of {generic.Kind} is {Refusal.Quote(generic.Payload?.TypeUrl ?? "")}, not a {ProcessTypeName}");
        }
        try
        {
            return ProcessSpec.Parser.ParseFrom(generic.Payload.Value);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Refusal.Invalid($"Generic runtime: payload of {generic.Kind} cannot be read: {e.Message}");
        }
    }

    private static void CheckProcess(ProcessSpec process, TaskSpec spec)
    {
        if (process.Command.Concat(process.Args).FirstOrDefault() is null or "")
        {
            throw Refusal.Invalid("ProcessSpec: a command must be provided");
        }
        foreach (string variable in process.Env)
        {
            ContainerRules.CheckEnv(variable, "ProcessSpec");
        }
        if (process.Dir.Length > 0 && !process.Dir.StartsWith('/'))
        {
            throw Refusal.Invalid($"ProcessSpec: dir {Refusal.Quote(process.Dir)} is not an absolute path");
        }
        DurationRules.CheckNotNegative(process.StopGracePeriod, "ProcessSpec: stop grace period", "ProcessSpec: stop grace period cannot be negative");
        ContainerRules.CheckUlimits(process.Ulimits, "ProcessSpec");
        ContainerRules.CheckOomScore(process.OomScoreAdj, "ProcessSpec");
        MountRules.Check(process.Mounts);
        if (process.Mounts.FirstOrDefault(m => m.Type is not Mount.Types.Type.Bind and not Mount.Types.Type.Tmpfs) is { } mount)
        {
            throw Refusal.Invalid($"ProcessSpec: mount {mount.Target} is a {WireNames.Of(mount.Type)}; a process has BIND and TMPFS mounts only");
        }
        ReferenceRules.CheckSecrets(process.Secrets);
        ReferenceRules.CheckConfigs(process.Configs, "");
        CheckReferenced(spec, ResourceType.Secret, process.Secrets.Select(s => (s.SecretId, s.SecretName)));
        CheckReferenced(spec, ResourceType.Config, process.Configs.Select(c => (c.ConfigId, c.ConfigName)));
    }

    // A dispatcher of any make sends a task only what its resource references name.
    private static void CheckReferenced(TaskSpec spec, ResourceType type, IEnumerable<(string Id, string Name)> wanted)
    {
        foreach ((string id, string name) in wanted)
        {
            if (!spec.ResourceReferences.Any(r => r.ResourceType == type && r.ResourceId == id))
            {
                throw Refusal.Invalid($"ProcessSpec: {WireNames.Of(type).ToLowerInvariant()} {name} is not in the task's resource references, so no node would get it");
            }
        }
    }
}
