using Docker.Swarmkit.V1;
using Skep.Agent.Tasks;
using Engine = Docker.DotNet.Models;
using Version = System.Version;

namespace Skep.Agent.Executors.Docker;

/// <summary>
/// What the engine is asked to create for a task. Everything in the spec is either passed on or refused by name. Source of
/// the meaning of fields: moby/moby daemon/cluster/executor/container/container.go.
/// </summary>
internal static class ContainerRequest
{
    private static readonly Version StartIntervalSince = new(1, 44);

    /// <summary>Translates the task.</summary>
    /// <param name="task">A task of the container runtime, templates expanded.</param>
    /// <param name="stateDirectory">The node's, for the container's label.</param>
    /// <param name="files">Binds of its secrets and configs.</param>
    /// <param name="version">The engine's API version.</param>
    /// <exception cref="TaskRejectedException">A field cannot be honoured; the message names it.</exception>
    public static Engine.CreateContainerParameters Of(
        SwarmTask task, string stateDirectory, IReadOnlyList<Engine.Mount> files, Version version)
    {
        var spec = task.Spec.Container;
        if (spec.Image.Length == 0)
        {
            throw new TaskRejectedException("image: the name of an image is required");
        }

        return new Engine.CreateContainerParameters
        {
            Name = TaskParts.Name(task),
            Image = ImageReference.Tagged(spec.Image),
            Labels = ContainerLabels.Of(task, stateDirectory),
            StopSignal = Given(spec.StopSignal),
            Tty = spec.Tty,
            OpenStdin = spec.OpenStdin,
            User = Given(spec.User),
            Env = [.. spec.Env, .. GenericResourceEnv.Of(task)],
            Hostname = Given(spec.Hostname),
            WorkingDir = Given(spec.Dir),
            ExposedPorts = ContainerPorts.Exposed(task)!,
            Healthcheck = Healthcheck(spec.Healthcheck, version)!,
            Entrypoint = spec.Command.Count > 0 ? [.. spec.Command] : null!,
            Cmd = spec.Args.Count > 0 ? [.. spec.Args] : null!,
            HostConfig = HostSettings.Of(task, files, version),
        };
    }

    // The engine's model says its fields are never null, and leaves those that are out of the request: an empty list of
    // arguments would replace the image's.
    private static string Given(string text) => text.Length > 0 ? text : null!;

    private static Engine.HealthcheckConfig? Healthcheck(HealthConfig? health, Version version)
    {
        if (health is null)
        {
            return null;
        }

        if (health.StartInterval is not null && version < StartIntervalSince)
        {
            throw new TaskRejectedException($"healthcheck start interval: the engine's API {version} does not know it, {StartIntervalSince} does");
        }

        return new Engine.HealthcheckConfig
        {
            Test = health.Test.Count > 0 ? [.. health.Test] : null!,
            Interval = health.Interval?.ToTimeSpan(),
            Timeout = health.Timeout?.ToTimeSpan(),
            StartPeriod = health.StartPeriod?.ToTimeSpan(),
            StartInterval = health.StartInterval?.ToTimeSpan(),
            Retries = health.Retries == 0 ? null : health.Retries,
        };
    }
}
