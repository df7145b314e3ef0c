namespace Skep.Coordination.Client.Tests.Infrastructure;

/// <summary>Waits that end, and say what they waited for.</summary>
internal static class Deadline
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task<T> Within<T>(this Task<T> task, string phase)
    {
        await ((Task)task).Within(phase);
        return await task;
    }

    public static async Task Within(this Task task, string phase)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException e) when (!task.IsCompleted)
        {
            throw new TimeoutException($"phase: {phase}", e);
        }
    }

    /// <summary>Waits until the client has been in a state.</summary>
    public static Task Reached(this CoordinationClient client, params ConnectionState[] wanted) => Task.Run(async () =>
    {
        await foreach (ConnectionState state in client.StateChanges)
        {
            if (wanted.Contains(state))
            {
                return;
            }
        }
        throw new InvalidOperationException($"the client ended {client.State}, never {string.Join(" or ", wanted)}");
    }).Within($"client becomes {string.Join(" or ", wanted)}");

    /// <summary>Waits until a token is cancelled.</summary>
    public static async Task Fires(this CancellationToken token, string phase)
    {
        var cancelled = new TaskCompletionSource();
        using (token.Register(cancelled.SetResult))
        {
            await cancelled.Task.Within(phase);
        }
    }

    /// <summary>The next item of a stream.</summary>
    public static async Task<T> Next<T>(this IAsyncEnumerator<T> items, string phase) =>
        await items.MoveNextAsync().AsTask().Within(phase) ? items.Current : throw new InvalidOperationException($"the stream ended; phase: {phase}");
}
