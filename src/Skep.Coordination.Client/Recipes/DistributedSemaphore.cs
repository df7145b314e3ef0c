namespace Skep.Coordination.Client.Recipes;

/// <summary>
/// A lock that so many may hold at once. Those who wait stand in line, and only the first of them watches the leases.
/// </summary>
/// <param name="client">Whose session holds the leases.</param>
/// <param name="path">The semaphore: a folder, made when it is needed.</param>
/// <param name="leases">How many may hold it at once; all who use it are to say the same.</param>
/// <param name="grace">As for <see cref="DistributedLock"/>.</param>
public sealed class DistributedSemaphore(CoordinationClient client, string path, int leases, TimeSpan? grace = null)
{
    private readonly DistributedLock _first = new(client, OwnNode.Join(path, "line"));
    private readonly string _folder = OwnNode.Join(path, "leases");

    /// <summary>Waits for a lease.</summary>
    public async Task<LockHandle> AcquireAsync(CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(leases, 1);
        // Whoever is first in line alone may add a lease, so that leases can only become fewer while it waits.
        await using LockHandle first = await _first.AcquireAsync(ct);
        CreatedNode own = await OwnNode.CreateAsync(client, _folder, "lease-", default, ct);
        bool isHeld = false;
        try
        {
            while (!isHeld)
            {
                using Watched<NodeChildren> held = await client.GetChildrenAndWatchAsync(_folder, ct);
                isHeld = WaitingLine.Sorted(held.Value.Children).Take(leases).Contains(own.Path[(own.Path.LastIndexOf('/') + 1)..]);
                if (!isHeld)
                {
                    await held.Changed.WaitAsync(ct);
                }
            }
            return new LockHandle(client, own, grace);
        }
        finally
        {
            if (!isHeld)
            {
                _ = OwnNode.DeleteAsync(client, own.Path);
            }
        }
    }
}
