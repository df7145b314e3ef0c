using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using Skep.V1;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Tasks;
using F = Swarmctl.Services.ServiceFlags;

namespace Swarmctl.Services;

/// <summary>What a task runs, from the flags: a container, or with <c>--runtime process</c> a program of the host.</summary>
internal static class ProgramMerge
{
    public static async Task MergeAsync(Session s, TaskSpec task, CancellationToken ct)
    {
        bool asksForProcess = s.Has(F.Runtime) && Choice.Of(s, F.Runtime, "container", "process") == "process";
        ProcessSpec? process = ProcessRuntime.TryUnpack(task) ?? (asksForProcess ? new ProcessSpec() : null);
        if (process is not null)
        {
            await MergeAsync(s, task, process, ct).ConfigureAwait(false);
            task.Generic = ProcessRuntime.Pack(process);
            return;
        }
        if (task.RuntimeCase is not (TaskSpec.RuntimeOneofCase.None or TaskSpec.RuntimeOneofCase.Container))
        {
            return;
        }
        await MergeAsync(s, task.Container ??= new(), ct).ConfigureAwait(false);
    }

    private static async Task MergeAsync(Session s, TaskSpec task, ProcessSpec process, CancellationToken ct)
    {
        foreach (System.CommandLine.Option unfit in (System.CommandLine.Option[])[F.Image, F.Tty, F.OpenStdin, F.Init, F.Volume, F.Npipe])
        {
            if (s.Has(unfit))
            {
                throw new UserException($"{unfit.Name} is for containers; a task with --runtime process has none");
            }
        }
        Set(s, F.Command, process.Command);
        Set(s, F.Args, process.Args);
        Set(s, F.Env, process.Env);
        process.Hostname = s.Has(F.Hostname) ? s.Flags.GetValue(F.Hostname)! : process.Hostname;
        process.User = s.Has(F.User) ? s.Flags.GetValue(F.User)! : process.User;
        process.Dir = s.Has(F.Dir) ? s.Flags.GetValue(F.Dir)! : process.Dir;
        process.OomScoreAdj = s.Has(F.OomScoreAdj) ? s.Flags.GetValue(F.OomScoreAdj) : process.OomScoreAdj;
        process.StopGracePeriod = s.Has(F.StopGracePeriod) ? CommonFlags.Duration(s, F.StopGracePeriod) : process.StopGracePeriod;
        MountFlags.Merge(s, process.Mounts);
        UlimitFlag.Merge(s, process.Ulimits);
        CapabilityFlags.Merge(s, process.CapabilityAdd, process.CapabilityDrop);
        await ReferenceFlags.MergeAsync(s, process.Secrets, process.Configs, ct).ConfigureAwait(false);

        // A dispatcher finds what a generic runtime needs here.
        task.ResourceReferences.Clear();
        task.ResourceReferences.AddRange(process.Secrets.Select(r => new ResourceReference { ResourceId = r.SecretId, ResourceType = ResourceType.Secret }));
        task.ResourceReferences.AddRange(process.Configs.Select(r => new ResourceReference { ResourceId = r.ConfigId, ResourceType = ResourceType.Config }));
    }

    private static async Task MergeAsync(Session s, ContainerSpec container, CancellationToken ct)
    {
        container.Image = s.Has(F.Image) ? s.Flags.GetValue(F.Image)! : container.Image;
        container.Hostname = s.Has(F.Hostname) ? s.Flags.GetValue(F.Hostname)! : container.Hostname;
        Set(s, F.Command, container.Command);
        Set(s, F.Args, container.Args);
        Set(s, F.Env, container.Env);
        container.Tty = s.Has(F.Tty) ? s.Flags.GetValue(F.Tty) : container.Tty;
        container.OpenStdin = s.Has(F.OpenStdin) ? s.Flags.GetValue(F.OpenStdin) : container.OpenStdin;
        container.Init = s.Has(F.Init) ? s.Flags.GetValue(F.Init) : container.Init;
        container.User = s.Has(F.User) ? s.Flags.GetValue(F.User)! : container.User;
        container.Dir = s.Has(F.Dir) ? s.Flags.GetValue(F.Dir)! : container.Dir;
        container.OomScoreAdj = s.Has(F.OomScoreAdj) ? s.Flags.GetValue(F.OomScoreAdj) : container.OomScoreAdj;
        container.StopGracePeriod = s.Has(F.StopGracePeriod) ? CommonFlags.Duration(s, F.StopGracePeriod) : container.StopGracePeriod;
        MountFlags.Merge(s, container.Mounts);
        UlimitFlag.Merge(s, container.Ulimits);
        CapabilityFlags.Merge(s, container.CapabilityAdd, container.CapabilityDrop);
        await ReferenceFlags.MergeAsync(s, container.Secrets, container.Configs, ct).ConfigureAwait(false);
    }

    private static void Set(Session s, System.CommandLine.Option<string[]> flag, RepeatedField<string> field)
    {
        if (s.Has(flag))
        {
            field.Clear();
            field.AddRange(s.Values(flag));
        }
    }
}
