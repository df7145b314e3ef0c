namespace Skep.Agent.Executors.Docker;

/// <summary>Counts that something happened, for those who look for themselves what it was.</summary>
internal sealed class Pulse
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Beat()
    {
        TaskCompletionSource next;
        lock (_gate)
        {
            _count++;
            (next, _next) = (_next, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        next.SetResult();
    }

    /// <summary>Completes once the count is another one than <paramref name="seen"/>, or the time is over.</summary>
    public async Task NextAsync(int seen, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        Task next;
        lock (_gate)
        {
            if (_count != seen)
            {
                return;
            }

            next = _next.Task;
        }

        try
        {
            await next.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Looking once in vain costs little; an event that was lost would cost much.
        }
    }
}
