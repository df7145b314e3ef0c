using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>Holds up all who come to it while it is set.</summary>
/// <param name="client">Who sets it or waits.</param>
/// <param name="path">The barrier: it is set while there is a node of this path.</param>
public sealed class DistributedBarrier(CoordinationClient client, string path)
{
    /// <summary>Sets the barrier; it outlives the session. One that is set stays so.</summary>
    public Task SetAsync(CancellationToken ct = default) => OwnNode.SetAsync(client, path, CreateMode.Persistent, ct);

    /// <summary>Lets all through who wait, and all to come. Where none is set, nothing is done.</summary>
    public async Task RemoveAsync(CancellationToken ct = default)
    {
        while (true)
        {
            try
            {
                await client.DeleteAsync(path, ct: ct);
                return;
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
            {
                return;
            }
            catch (ConnectionLossException)
            {
                // Removing it twice does no harm.
            }
        }
    }

    /// <summary>Waits until the barrier is removed; goes on at once where none is set.</summary>
    public async Task WaitAsync(CancellationToken ct = default)
    {
        while (true)
        {
            using Watched<Stat?> barrier = await client.ExistsAndWatchAsync(path, ct);
            if (barrier.Value is null)
            {
                return;
            }
            await barrier.Changed.WaitAsync(ct);
        }
    }
}
