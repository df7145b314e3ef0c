using System.Text;
using Skep.Coordination.Client;
using Skep.Coordination.Client.Recipes;

await using CoordinationClient client = await CoordinationClient.ConnectAsync(args[0]);
await using LockHandle held = await new DistributedLock(client, "/locks/door").AcquireAsync();
await using WatchStream watch = await client.OpenWatchAsync("/config", WatchMode.Persistent);
Console.WriteLine($"holding /locks/door with the fencing token {held.FencingToken}");
await TellAsync();
await foreach (WatchedEvent change in watch)
{
    if (await TellAsync() == "stop")
    {
        break;
    }
}

async Task<string> TellAsync()
{
    string config = Encoding.UTF8.GetString((await client.GetDataAsync("/config")).Data.Span);
    Console.WriteLine($"/config is {config}, the lock is {(held.LostToken.IsCancellationRequested ? "lost" : "held")}");
    return config;
}
