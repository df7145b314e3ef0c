using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Skep.Store;

namespace Skep.Manager.Dispatch.Writing;

/// <summary>
/// Brings what nodes report into the store in few transactions: a write goes out at once when none is under way, and while one
/// is, the others gather for the next. Whoever hands in a write learns when it is durable. Writes stay in order.
/// </summary>
internal sealed partial class WriteQueue(ClusterStore store, int backlog, ILogger logger)
{
    private readonly Channel<Item> queue =
        Channel.CreateBounded<Item>(new BoundedChannelOptions(backlog) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    /// <summary>Hands in changes and waits until they are durable. Waits for room in the backlog, too.</summary>
    /// <exception cref="StoreException">The store refused.</exception>
    public async Task WriteAsync(IReadOnlyCollection<Action<WriteTransaction>> changes, CancellationToken ct)
    {
        if (changes.Count == 0)
        {
            return;
        }
        var receipt = new Receipt(changes.Count);
        foreach (Action<WriteTransaction> change in changes)
        {
            await queue.Writer.WriteAsync(new(change, receipt), ct).ConfigureAwait(false);
        }
        await receipt.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Writes what is handed in, until it is cancelled. What was begun is finished first.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var batch = new List<Item>();
        while (await queue.Reader.WaitToReadAsync(ct).ConfigureAwait(false))
        {
            while (batch.Count < backlog && queue.Reader.TryRead(out Item item))
            {
                batch.Add(item);
            }
            await WriteAsync(batch).ConfigureAwait(false);
            batch.Clear();
        }
    }

    /// <summary>Refuses whatever waits.</summary>
    public void RefuseAll()
    {
        while (queue.Reader.TryRead(out Item item))
        {
            item.Receipt.Fail(new StoreException(StoreErrorKind.Stopped, "the dispatcher stopped before the write was made"));
        }
    }

    private async Task WriteAsync(List<Item> batch)
    {
        try
        {
            await store.BatchAsync(batch, static (tx, item) => item.Change(tx), CancellationToken.None).ConfigureAwait(false);
            batch.ForEach(item => item.Receipt.Succeed());
        }
        catch (StoreException e) when (e.Kind is StoreErrorKind.Full or StoreErrorKind.Stopped or StoreErrorKind.NotLeader or StoreErrorKind.OutcomeUnknown)
        {
            batch.ForEach(item => item.Receipt.Fail(e));
        }
        catch (Exception e) when (batch.Count == 1)
        {
            LogRefused(logger, e);
            batch[0].Receipt.Fail(e);
        }
        catch (Exception)
        {
            // One bad write must not take the others with it. Making a change twice does no harm: each looks at what is there.
            foreach (Item item in batch)
            {
                await WriteAsync([item]).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(EventId = 5001, Level = LogLevel.Error, Message = "what a node reported could not be stored")]
    private static partial void LogRefused(ILogger logger, Exception e);

    private readonly record struct Item(Action<WriteTransaction> Change, Receipt Receipt);

    private sealed class Receipt(int count)
    {
        private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int left = count;

        public Task Task => done.Task;

        public void Succeed()
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                done.TrySetResult();
            }
        }

        public void Fail(Exception e)
        {
            done.TrySetException(e);

            // Whoever waited may have gone already.
            _ = done.Task.Exception;
        }
    }
}
