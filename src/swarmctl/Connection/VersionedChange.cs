using Docker.Swarmkit.V1;
using Grpc.Core;
using Version = Docker.Swarmkit.V1.Version;

namespace Swarmctl.Connection;

/// <summary>
/// A change that names the version it starts from, so that it is never made twice: it is sent again, on fresh data, when somebody
/// else's came in between, and when the leader went away before it had answered.
/// </summary>
internal static class VersionedChange
{
    /// <param name="read">The object as it is now.</param>
    /// <param name="version">Its version.</param>
    /// <param name="change">Asks for the change of it; returns the object changed.</param>
    /// <param name="isMade">Whether the object is as it was last asked to be; false where that cannot be seen.</param>
    public static async Task<T> MakeAsync<T>(Func<Task<T>> read, Func<T, Version?> version, Func<T, Task<T>> change, Func<T, bool> isMade)
    {
        T before = await read().ConfigureAwait(false);
        try
        {
            return await change(before).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.Status.Detail.Contains("update out of sequence", StringComparison.Ordinal))
        {
            return await change(await read().ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
        {
            T now = await read().ConfigureAwait(false);
            if (Equals(version(now), version(before)))
            {
                return await change(now).ConfigureAwait(false);
            }
            if (isMade(now))
            {
                return now;
            }
            throw;
        }
    }
}
