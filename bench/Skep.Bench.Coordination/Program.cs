// Skep's coordination service beside Debian's ZooKeeper, both driven by the same client through the same protocol:
// servers as processes on the loopback, a sync before every acknowledgement, in the same rounds. apt-get install zookeeper
// default-jre-headless gcc libc6-dev libzookeeper-mt-dev, and etcd-server for a row of its own. All write below $TMPDIR, which is to be on a real disk.
//   rates      operations a second, latency, the servers' processor time and memory; by ZooKeeper's C library, which takes about ten
//              times a request of what frames on sockets take (--client sockets)
//   sessions   memory and processor time of 10,000 idle sessions (--sessions)
//   watches    10,000 watches on one node: from the write to the last event (--sessions)
//   start      a server with a million nodes: from its start to the first answer (--nodes)
//   gap        the leader killed under writes: the longest time without an answer (--kills 5)
// usage: Skep.Bench.Coordination [rates | sessions | watches | start | gap | all] [--rounds 3] [--seconds 5] [--only skep|zookeeper]
//        [--kills 5] [--sessions 10000] [--nodes 1000000] [--clients 2] [--client library|sockets] [--bin folder with swarmd]
using System.Globalization;
using System.Runtime.InteropServices;
using Skep.Bench.Coordination;

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
    if (options.RunsZooKeeper)
    {
        ZooKeeper.Need();
    }
    using LoadProgram load = await LoadProgram.CompileAsync();
    var rig = new Rig(options, load, stop.Token);
    if (new DriveInfo(Path.GetTempPath()).DriveFormat == "tmpfs")
    {
        Console.WriteLine($"{Path.GetTempPath()} is in memory, where a sync costs nothing: name a folder on a disk in TMPDIR");
    }
    Console.WriteLine($"{Environment.ProcessorCount} cores");
    foreach (string table in options.What == "all" ? Options.Tables : [options.What])
    {
        Console.WriteLine();
        await (table switch
        {
            "rates" => RateTable.RunAsync(rig),
            "sessions" => SessionTable.RunAsync(rig),
            "watches" => WatchTable.RunAsync(rig),
            "start" => StartTable.RunAsync(rig),
            _ => GapTable.RunAsync(rig),
        });
    }
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
