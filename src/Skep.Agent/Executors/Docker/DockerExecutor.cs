using System.Collections.Concurrent;
using System.Net;
using Docker.DotNet.Models;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using EngineDescription = Docker.Swarmkit.V1.EngineDescription;
using NodeDescription = Docker.Swarmkit.V1.NodeDescription;
using Platform = Docker.Swarmkit.V1.Platform;
using PluginDescription = Docker.Swarmkit.V1.PluginDescription;
using TaskSpec = Docker.Swarmkit.V1.TaskSpec;

namespace Skep.Agent.Executors.Docker;

/// <summary>Runs tasks as containers of a Docker-compatible engine at a unix socket.</summary>
public sealed class DockerExecutor : IExecutor
{
    private readonly EngineServices _services;
    private readonly ILogger _logger;

    // Tasks this life has begun, until leftovers were looked for: their containers are none.
    private volatile ConcurrentDictionary<string, byte>? _begun = new(StringComparer.Ordinal);

    /// <summary>Asks nothing of the engine yet; it need not run.</summary>
    public DockerExecutor(DockerExecutorOptions options, ILogger<DockerExecutor> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _logger = logger;
        options = options with { StateDirectory = Path.GetFullPath(options.StateDirectory) };
        var engine = new EngineClient(options);
        _services = new EngineServices(
            options,
            engine,
            new EngineEvents(engine, options.StateDirectory, options.Time, logger),
            new ImagePulls(engine, options.MaxPulls, logger),
            new TaskFiles(Path.Combine(options.StateDirectory, "worker", "files")),
            logger);
    }

    /// <inheritdoc/>
    public bool Handles(SwarmTask task) => task?.Spec?.RuntimeCase == TaskSpec.RuntimeOneofCase.Container;

    /// <inheritdoc/>
    public async Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        var info = await Ask((c, token) => c.System.GetSystemInfoAsync(token), cancellationToken);
        var description = new NodeDescription
        {
            Hostname = info.Name ?? "",
            Platform = new Platform { Architecture = info.Architecture ?? "", Os = info.OSType ?? "linux" },
            Resources = new global::Docker.Swarmkit.V1.Resources { NanoCpus = info.NCPU * 1_000_000_000, MemoryBytes = info.MemTotal },
            Engine = new EngineDescription { EngineVersion = info.ServerVersion ?? "" },
        };
        foreach (var label in info.Labels ?? [])
        {
            var parts = label.Split('=', 2);
            if (parts.Length == 2)
            {
                description.Engine.Labels[parts[0]] = parts[1];
            }
        }

        foreach (var (type, name) in await PluginsAsync(info, cancellationToken))
        {
            description.Engine.Plugins.Add(new PluginDescription { Type = type, Name = name });
        }

        return description;
    }

    /// <inheritdoc/>
    public Task ConfigureAsync(Node node, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task RemoveOrphansAsync(IReadOnlySet<string> knownTaskIds, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(knownTaskIds);
        bool IsKnown(string id) => knownTaskIds.Contains(id) || _begun is not { } begun || begun.ContainsKey(id);
        var filters = new Dictionary<string, IDictionary<string, bool>>
        {
            ["label"] = new Dictionary<string, bool> { [$"{ContainerLabels.StateDirectory}={_services.Options.StateDirectory}"] = true },
        };
        var containers = await Ask(
            (c, token) => c.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = filters }, token), cancellationToken);
        foreach (var container in containers)
        {
            if (container.Labels.TryGetValue(ContainerLabels.TaskId, out var id) && !IsKnown(id))
            {
                await RemoveAsync(container, cancellationToken);
            }
        }

        _services.Files.RemoveUnknown(IsKnown);
        _begun = null;
    }

    /// <inheritdoc/>
    public IController CreateController(SwarmTask task, ITaskDependencies dependencies)
    {
        ArgumentNullException.ThrowIfNull(task);
        _begun?.TryAdd(task.Id, 0);
        return new DockerController(task, dependencies, _services);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _services.Events.DisposeAsync();
        _services.Pulls.Dispose();
        _services.Engine.Dispose();
        _services.Files.Release();
    }

    private async Task RemoveAsync(ContainerListResponse container, CancellationToken cancellationToken)
    {
        try
        {
            await _services.Engine.CallAsync(
                (c, token) => c.Containers.RemoveContainerAsync(
                    container.ID, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, token),
                cancellationToken);
            DockerLog.OrphanRemoved(_logger, container.Names?.FirstOrDefault() ?? container.ID);
        }
        catch (EngineException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // Gone by itself.
        }
        catch (EngineException e)
        {
            throw new TaskTemporaryException(e.Message, e);
        }
    }

    private async Task<IEnumerable<(string Type, string Name)>> PluginsAsync(SystemInfoResponse info, CancellationToken cancellationToken)
    {
        var plugins = new SortedSet<(string, string)>();
        plugins.UnionWith((info.Plugins?.Volume ?? []).Select(n => ("Volume", n)));
        plugins.UnionWith((info.Plugins?.Network ?? []).Select(n => ("Network", n)));
        plugins.UnionWith((info.Plugins?.Authorization ?? []).Select(n => ("Authorization", n)));
        plugins.UnionWith((info.Plugins?.Log ?? []).Select(n => ("Log", n)));
        try
        {
            var managed = await _services.Engine.CallAsync((c, token) => c.Plugin.ListPluginsAsync(new PluginListParameters(), token), cancellationToken);
            foreach (var plugin in managed.Where(p => p.Enabled))
            {
                plugins.UnionWith((plugin.Config?.Interface?.Types ?? []).Select(t => (TypeOf(t), plugin.Name)));
            }
        }
        catch (EngineException)
        {
            // Podman has none of these.
        }

        return plugins;
    }

    // docker.volumedriver/1.0
    private static string TypeOf(string capability) => capability.Split('.', 2)[^1].Split('/')[0] switch
    {
        "volumedriver" => "Volume",
        "networkdriver" => "Network",
        "logdriver" => "Log",
        var other => other,
    };

    private async Task<T> Ask<T>(Func<global::Docker.DotNet.DockerClient, CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await _services.Engine.CallAsync(request, cancellationToken);
        }
        catch (EngineException e)
        {
            throw new TaskTemporaryException(e.Message, e);
        }
    }
}
