using Docker.Swarmkit.V1;

namespace Skep.Agent.Executors;

/// <summary>The secrets and configs one task refers to, with templates already expanded. Others are out of its reach.</summary>
public interface ITaskDependencies
{
    /// <summary>The secret's content.</summary>
    /// <exception cref="TaskRejectedException">The node was not given it, or its template does not expand.</exception>
    ReadOnlyMemory<byte> GetSecret(SecretReference reference);

    /// <summary>The config's content.</summary>
    /// <exception cref="TaskRejectedException">The node was not given it, or its template does not expand.</exception>
    ReadOnlyMemory<byte> GetConfig(ConfigReference reference);
}
