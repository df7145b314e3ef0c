using Microsoft.Extensions.Time.Testing;
using Skep.Store;

namespace Skep.Manager.Tests.Support;

/// <summary>Waits that end: with what was waited for, or with the phase that took too long.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    public static async Task<T> Within<T>(this Task<T> task, string phase)
    {
        try
        {
            return await task.WaitAsync(Longest);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"timed out: {phase}");
        }
    }

    public static async Task Within(this Task task, string phase) => await Wrap(task).Within(phase);

    /// <summary>Waits until the store is as wanted.</summary>
    public static async Task Until(this ClusterStore store, Func<IStoreView, bool> condition, string phase)
    {
        (bool met, StoreSubscription changes) = store.ReadAndSubscribe(condition);
        using (changes)
        {
            while (!met)
            {
                await changes.Commits.ReadAsync().AsTask().Within(phase);
                met = store.Read(condition);
            }
        }
    }

    /// <summary>Lets the clock go on until a message comes.</summary>
    public static async Task<T> NextAsync<T>(this Stream<T> stream, FakeTimeProvider time, string phase)
        where T : class
    {
        Task<T> next = stream.NextAsync(phase);
        while (!next.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
        return await next;
    }

    private static async Task<bool> Wrap(Task task)
    {
        await task;
        return true;
    }
}
