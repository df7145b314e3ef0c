// What a read can return, and what it costs, on three real servers.
//   latency     one read at a time: plain, behind a sync, linearizable; at the leader and at a follower
//   partition   a follower, then the leader, is cut off while the others go on: what each kind of read returns there. Each server
//               is in a network namespace of its own: needs root, ip (iproute2), nft (nftables) and unshare (util-linux)
// usage: Skep.Bench.Consistency [latency | partition | all] [--rounds 5] [--reads 400] [--bin folder with swarmd]
using System.Globalization;
using System.Runtime.InteropServices;
using Skep.Bench.Cluster;
using Skep.Bench.Consistency;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    // What was started is ended on the way out.
    context.Cancel = true;
    stop.Cancel();
}
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    var options = Options.Parse(args);
    if (options.What != "latency" && !options.IsInside)
    {
        // Servers and clients live in a network of their own, which ends with this program.
        return await Network.RunInsideAsync(args);
    }
    await using Network? network = options.IsInside ? await Network.CreateAsync(members: 3) : null;
    await using Servers servers = await Servers.StartAsync(options.Programs, network, stop.Token);
    Console.WriteLine($"{Environment.ProcessorCount} cores, load {Machine.Load} when it began");
    if (options.What is "latency" or "all")
    {
        await LatencyTable.RunAsync(servers, options, stop.Token);
    }
    if (network is not null)
    {
        await PartitionTable.RunAsync(servers, network, stop.Token);
    }
    Console.WriteLine($"load {Machine.Load} when it ended");
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}
catch (Exception e) when (e is FormatException or InvalidOperationException or TimeoutException)
{
    Console.Error.WriteLine($"Error: {e.Message}");
    return 255;
}
