using Skep.Store.Durability;

namespace Skep.Store.Tests.Durability;

internal static class Opened
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A store that takes writes.</summary>
    public static async Task<DurableStore> AsLeaderAsync(DurableStoreOptions options)
    {
        DurableStore store = await DurableStore.OpenAsync(options);
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await store.UntilLeadingAsync(patience.Token);
            return store;
        }
        catch (OperationCanceledException)
        {
            string seen = $"{store.Members.View} {store.Metrics}";
            await store.DisposeAsync();
            throw new TimeoutException($"the store did not lead: {seen}");
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }
}
