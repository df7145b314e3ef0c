using Microsoft.Extensions.Logging;

namespace Skep.Agent.Executors.Docker;

/// <summary>What all controllers of one engine share.</summary>
internal sealed record EngineServices(
    DockerExecutorOptions Options, EngineClient Engine, EngineEvents Events, ImagePulls Pulls, TaskFiles Files, ILogger Logger);
