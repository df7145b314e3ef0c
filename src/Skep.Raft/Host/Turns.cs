namespace Skep.Raft;

/// <summary>
/// Gives a piece of work turns, one at a time, after each asking: on a pool thread, or on the asker's own where it wants to save the
/// change of threads. An asking during a turn is followed by another turn.
/// </summary>
/// <param name="turn">Does all there is to do; false when there is to be no further turn.</param>
internal sealed class Turns(Func<ValueTask<bool>> turn) : IThreadPoolWorkItem
{
    private const int AtRest = 0;
    private const int Taken = 1;
    private const int Asked = 2;

    /// <summary>Who lends its own thread has other things to do as well.</summary>
    private const int MaxLent = 4;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;

    /// <summary>Completes with the last turn.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Sees to it that a turn begins after this.</summary>
    public void Ask()
    {
        if (Interlocked.Exchange(ref _state, Asked) == AtRest)
        {
            // This thread will look there first, and is awake.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        }
    }

    /// <summary>As <see cref="Ask"/>, on this thread unless another has a turn.</summary>
    public void TakeHere()
    {
        if (Interlocked.Exchange(ref _state, Asked) == AtRest)
        {
            _ = RunAsync(MaxLent);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync(int.MaxValue);

    private async Task RunAsync(int turns)
    {
        for (; turns > 0; turns--)
        {
            Interlocked.Exchange(ref _state, Taken);
            if (!await turn().ConfigureAwait(false))
            {
                // It stays taken.
                _ended.TrySetResult();
                return;
            }

            if (Interlocked.CompareExchange(ref _state, AtRest, Taken) == Taken)
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}
