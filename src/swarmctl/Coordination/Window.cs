namespace Swarmctl.Coordination;

/// <summary>Requests that are under way at once, no more than so many; the first failure comes out at the next that is added, or at the end.</summary>
internal sealed class Window(int most)
{
    private readonly Queue<Task> underWay = [];

    public async Task AddAsync(Task request)
    {
        underWay.Enqueue(request);
        if (underWay.Count >= most)
        {
            await underWay.Dequeue();
        }
    }

    public async Task EndAsync()
    {
        while (underWay.TryDequeue(out Task? request))
        {
            await request;
        }
    }
}
