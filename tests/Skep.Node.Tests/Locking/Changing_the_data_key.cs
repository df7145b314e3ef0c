using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Identity.Tokens;
using Skep.Manager.Certificates;
using Skep.Node.Managers;

namespace Skep.Node.Tests.Locking;

/// <summary>What the key file holds at each point of a change of the log's data key.</summary>
public sealed class Changing_the_data_key : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("skep-datakey-").FullName;
    private readonly byte[] key = UnlockKey.Generate();
    private readonly byte[] first;
    private readonly FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
    private readonly StateDirectory state;
    private readonly NodeKeyFile keys;
    private readonly Channel<(byte[] Key, TaskCompletionSource Done)> asked = Channel.CreateUnbounded<(byte[], TaskCompletionSource)>();
    private readonly CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;

    public Changing_the_data_key()
    {
        state = new(folder);
        keys = new NodeKeyFile(state, clock);
        ClusterFounding.Found(state, keys, clock);
        keys.WriteDataKeys(DataKeys.Generate());
        first = keys.Read().DataKeys.Current!;
    }

    [Fact]
    public async Task The_new_key_is_on_disk_before_the_log_uses_it_and_the_old_one_until_the_log_is_done()
    {
        Start();
        keys.Rewrap(new KeyEncryptionKey(key, 7));

        (byte[] next, TaskCompletionSource done) = await NextAsync();
        DataKeys between = OnDisk();
        Assert.Equal(first, between.Current);
        Assert.Equal(next, between.Pending);

        done.SetResult();
        await StoppedAfterAsync(k => k.Pending is null);
        Assert.Equal(next, OnDisk().Current);
        Assert.False(OnDisk().NeedsRotation);
    }

    [Fact]
    public async Task A_start_goes_on_with_the_key_that_was_pending()
    {
        keys.Rewrap(new KeyEncryptionKey(key, 7));
        byte[] pending = keys.ChangeDataKeys(static k => k.BeginChange()).Pending!;
        Start();
        (byte[] next, TaskCompletionSource done) = await NextAsync();
        Assert.Equal(pending, next);
        done.SetResult();
        await StoppedAfterAsync(k => k.Pending is null);
        Assert.Equal(pending, OnDisk().Current);
    }

    [Fact]
    public async Task A_lock_that_changes_meanwhile_has_the_key_changed_once_more()
    {
        Start();
        keys.Rewrap(new KeyEncryptionKey(UnlockKey.Generate(), 7));
        (byte[] second, TaskCompletionSource done) = await NextAsync();
        keys.Rewrap(new KeyEncryptionKey(key, 8));
        done.SetResult();

        (byte[] third, done) = await NextAsync();
        Assert.NotEqual(second, third);
        Assert.Equal(second, OnDisk().Current);
        done.SetResult();
        await StoppedAfterAsync(k => k.Pending is null);
        Assert.Equal(third, OnDisk().Current);
    }

    [Fact]
    public async Task A_log_that_cannot_is_asked_again_with_the_same_key()
    {
        Start();
        keys.Rewrap(new KeyEncryptionKey(key, 7));
        (byte[] next, TaskCompletionSource done) = await NextAsync();
        done.SetException(new IOException("the disk is full"));
        Task<(byte[] Key, TaskCompletionSource Done)> again = NextAsync();
        await UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            return again.IsCompleted;
        });
        Assert.Equal(next, (await again).Key);
        Assert.Equal(first, OnDisk().Current);
    }

    public void Dispose()
    {
        stop.Cancel();
        stop.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Start()
    {
        var change = new DataKeyChange(
            keys,
            async (next, ct) =>
            {
                var done = new TaskCompletionSource();
                asked.Writer.TryWrite((next.ToArray(), done));
                await done.Task.WaitAsync(ct);
            },
            clock,
            NullLogger<DataKeyChange>.Instance);
        running = Task.Run(() => change.RunAsync(stop.Token));
    }

    private Task<(byte[] Key, TaskCompletionSource Done)> NextAsync() => asked.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    private async Task StoppedAfterAsync(Func<DataKeys, bool> done)
    {
        await UntilAsync(() => done(OnDisk()));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (int i = 0; !condition(); i++)
        {
            Assert.True(i < 6_000, "the change of the data key did not come to its end");
            await pause.WaitForNextTickAsync();
        }
    }

    private DataKeys OnDisk() => new NodeKeyFile(state, clock, key).Read().DataKeys;
}
