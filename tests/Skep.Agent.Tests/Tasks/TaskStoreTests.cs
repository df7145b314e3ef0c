using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Tasks;

namespace Skep.Agent.Tests.Tasks;

public sealed class TaskStoreTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-agent-store-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "tasks");

    private TaskStore Open() => TaskStore.Open(_folder, NullLogger.Instance);

    private static SwarmTask Task(string id, TaskState state = TaskState.Assigned) => new() { Id = id, ServiceId = "s", Status = new TaskStatus { State = state } };

    private IReadOnlyList<(string Id, TaskState State)> Read()
    {
        var tasks = new Dictionary<string, SwarmTask>();
        TaskRecords.Read(File.ReadAllBytes(Path), Path, tasks);
        return [.. tasks.Values.Select(t => (t.Id, t.Status.State)).OrderBy(t => t.Id, StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Tasks_come_back_with_their_last_status()
    {
        await using (var store = Open())
        {
            await store.PutAsync([Task("a"), Task("b"), Task("c")], [], CancellationToken.None);
            await store.PutStatusAsync("a", new TaskStatus { State = TaskState.Running, Message = "started" }, CancellationToken.None);
            await store.PutAsync([], ["b"], CancellationToken.None);
        }

        await using var again = Open();
        Assert.Equal([("a", TaskState.Running), ("c", TaskState.Assigned)], again.Tasks.Select(t => (t.Id, t.Status.State)).Order());
    }

    [Fact]
    public async Task A_task_given_anew_keeps_the_status_it_had()
    {
        await using (var store = Open())
        {
            await store.PutAsync([Task("a")], [], CancellationToken.None);
            await store.PutStatusAsync("a", new TaskStatus { State = TaskState.Running }, CancellationToken.None);
            await store.PutAsync([Task("a")], [], CancellationToken.None);
        }

        await using var again = Open();
        Assert.Equal(TaskState.Running, Assert.Single(again.Tasks).Status.State);
    }

    [Fact]
    public async Task A_file_that_may_not_be_made_anew_fails_the_change_and_the_next_one_goes_through()
    {
        await using var store = Open();
        await store.PutAsync([Task("a")], [], CancellationToken.None);
        var inTheWay = System.IO.Path.Combine(_folder, ".tasks.new");
        Directory.CreateDirectory(inTheWay);
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            // The file is written anew once it is mostly history.
            for (var i = 0; i < 1_000; i++)
            {
                await store.PutAsync([new SwarmTask { Id = "a", ServiceId = new string('x', 10_000) }], [], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
            }
        });

        Directory.Delete(inTheWay);
        await store.PutAsync([Task("b")], [], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(["a", "b"], Read().Select(t => t.Id));
    }

    [Fact]
    public async Task A_given_task_is_on_disk_once_the_call_returns()
    {
        await using var store = Open();
        await store.PutAsync([Task("a")], [], CancellationToken.None);
        Assert.Equal([("a", TaskState.Assigned)], Read());
    }

    [Fact]
    public async Task A_record_that_was_never_finished_is_cut_off_wherever_it_ends()
    {
        await using (var store = Open())
        {
            await store.PutAsync([Task("a")], [], CancellationToken.None);
            await store.PutAsync([Task("b")], [], CancellationToken.None);
        }

        var whole = await File.ReadAllBytesAsync(Path);
        var without = whole.Length - TaskRecords.Given(Task("b")).Length;
        for (var length = without; length < whole.Length; length++)
        {
            await File.WriteAllBytesAsync(Path, whole[..length]);
            await using (var cut = Open())
            {
                Assert.Equal("a", Assert.Single(cut.Tasks).Id);
                await cut.PutAsync([Task("c")], [], CancellationToken.None);
            }

            Assert.Equal(["a", "c"], Read().Select(t => t.Id));
        }
    }

    [Fact]
    public async Task Damage_before_the_end_is_refused_with_file_and_offset()
    {
        await using (var store = Open())
        {
            await store.PutAsync([Task("a"), Task("b")], [], CancellationToken.None);
        }

        var bytes = await File.ReadAllBytesAsync(Path);
        bytes[TaskRecords.HeaderSizeBytes + 12] ^= 1;
        await File.WriteAllBytesAsync(Path, bytes);
        var refused = Assert.Throws<InvalidDataException>(() => Open());
        Assert.Contains($"{Path} is damaged at offset 8", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_format_is_refused()
    {
        await File.WriteAllTextAsync(Path, "something else");
        Assert.Contains("no file of tasks", Assert.Throws<InvalidDataException>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_is_dropped_when_it_outweighs_what_lives()
    {
        await using (var store = Open())
        {
            await store.PutAsync([Task("a")], [], CancellationToken.None);
            var status = new TaskStatus { State = TaskState.Running, Message = new string('x', 4096) };
            for (var i = 0; i < 2000; i++)
            {
                await store.PutStatusAsync("a", status, CancellationToken.None);
            }

            await store.PutAsync([Task("b")], [], CancellationToken.None);
            Assert.InRange(new FileInfo(Path).Length, 1, 6 * 1024 * 1024);
        }

        Assert.Equal([("a", TaskState.Running), ("b", TaskState.Assigned)], Read());
    }

    [Fact]
    public async Task A_thousand_tasks_cost_no_thousand_syncs()
    {
        await using var store = Open();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var tasks = Enumerable.Range(0, 1000).Select(i => Task($"t{i}")).ToList();
        await store.PutAsync(tasks, [], CancellationToken.None);
        foreach (var state in new[] { TaskState.Preparing, TaskState.Ready, TaskState.Starting, TaskState.Running })
        {
            foreach (var task in tasks)
            {
                await store.PutStatusAsync(task.Id, new TaskStatus { State = state }, CancellationToken.None);
            }
        }

        await store.PutAsync([Task("last")], [], CancellationToken.None);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"writing 1,000 tasks and 4,000 statuses took {watch.Elapsed}");
        Assert.Equal(1001, Read().Count);
    }
}
