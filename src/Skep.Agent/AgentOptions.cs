using Docker.Swarmkit.V1;
using Grpc.Net.Client;
using Skep.Agent.Session;
using Skep.Identity.Files;

namespace Skep.Agent;

/// <summary>What an agent needs of the node it works for.</summary>
public sealed class AgentOptions
{
    /// <summary>The folder of the agent's own files, mode 0700: <c>worker</c> below the node's state directory.</summary>
    public required string Folder { get; init; }

    /// <summary>The managers to turn to; kept up to date from what they say.</summary>
    public required Remotes Remotes { get; init; }

    /// <summary>Opens a channel to a manager, as this node; disposed with the session. Called for every session.</summary>
    public required Func<KnownManager, GrpcChannel> OpenChannel { get; init; }

    /// <summary>What the node says of its certificate; read for every description.</summary>
    public required Func<NodeTLSInfo?> TlsInfo { get; init; }

    /// <summary>Told when the node's own object or the cluster's root CA changed. Runs to its end before the next message is read.</summary>
    public Func<NodeChanges, CancellationToken, Task> OnNodeChanged { get; init; } = (_, _) => Task.CompletedTask;

    /// <summary>What the node is called; empty: as the machine is.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>Engine labels beside those of the engine itself.</summary>
    public IReadOnlyDictionary<string, string> EngineLabels { get; init; } = new Dictionary<string, string>();

    /// <summary>Resources beyond processors and memory that the node offers.</summary>
    public IReadOnlyList<GenericResource> GenericResources { get; init; } = [];

    /// <summary>Draws waits; seeded in tests.</summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What a session message changed for the node.</summary>
/// <param name="Node">The node's own object, if it is another one than before: role, availability, certificate.</param>
/// <param name="RootCa">The cluster's trusted roots as a PEM bundle, if they differ from what the node trusts; else empty.</param>
public sealed record NodeChanges(Node? Node, ReadOnlyMemory<byte> RootCa);
