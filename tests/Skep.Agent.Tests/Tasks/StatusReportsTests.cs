using Docker.Swarmkit.V1;
using Skep.Agent.Tasks;

namespace Skep.Agent.Tests.Tasks;

public sealed class StatusReportsTests
{
    private readonly StatusReports _reports = new();

    private static TaskStatus At(TaskState state) => new() { State = state };

    [Fact]
    public async Task A_status_stays_until_it_is_acknowledged()
    {
        _reports.Put("t", At(TaskState.Running));
        var batch = await _reports.NextBatchAsync(CancellationToken.None);
        Assert.Equal(batch, await _reports.NextBatchAsync(CancellationToken.None));
        _reports.Acknowledge(batch);
        Assert.Equal(0, _reports.Count);
    }

    [Fact]
    public async Task What_came_after_the_batch_is_not_acknowledged_with_it()
    {
        _reports.Put("t", At(TaskState.Starting));
        var batch = await _reports.NextBatchAsync(CancellationToken.None);
        _reports.Put("t", At(TaskState.Running));
        _reports.Acknowledge(batch);
        var next = Assert.Single(await _reports.NextBatchAsync(CancellationToken.None));
        Assert.Equal(TaskState.Running, next.Value.State);
    }

    [Fact]
    public async Task A_status_that_is_behind_does_not_replace_the_one_that_waits()
    {
        _reports.Put("t", At(TaskState.Shutdown));
        _reports.Put("t", At(TaskState.Running));
        Assert.Equal(TaskState.Shutdown, Assert.Single(await _reports.NextBatchAsync(CancellationToken.None)).Value.State);
    }

    [Fact]
    public async Task A_batch_holds_no_more_than_1024()
    {
        for (var i = 0; i < 3000; i++)
        {
            _reports.Put($"t{i}", At(TaskState.Running));
        }

        var sizes = new List<int>();
        while (_reports.Count > 0)
        {
            var batch = await _reports.NextBatchAsync(CancellationToken.None);
            sizes.Add(batch.Count);
            _reports.Acknowledge(batch);
        }

        Assert.Equal([1024, 1024, 952], sizes);
    }

    [Fact]
    public async Task Who_waits_is_woken_by_the_next_status()
    {
        var waiting = _reports.NextBatchAsync(CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        _reports.Put("t", At(TaskState.Running));
        Assert.Single(await waiting.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void A_task_that_was_taken_away_has_nothing_to_report()
    {
        _reports.Put("t", At(TaskState.Running));
        _reports.Forget("t");
        Assert.Equal(0, _reports.Count);
    }
}
