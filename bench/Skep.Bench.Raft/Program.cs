// Commands a second through a group of members, each a process of its own on the loopback with its log on a real disk and mTLS
// between them; the client is another process, on one pipelined TLS stream to the leader.
//   rate [members] [rounds] [seconds a row]
//   peers [members] [rounds] [seconds a row]   the same beside etcd and ZooKeeper (apt-get install etcd-server zookeeper)
//   faults [kills]   what goes on with f of n members killed, and how long it takes to go on
//   restart [MiB]   how long a member needs to open a log of that size, no snapshot, and to apply it
//   snapshot   the longest time without an acknowledgement while members write snapshots of 500,000 objects
//   soak [minutes]   memory under load
// SKEP_BENCH_FOLDER names a folder on the disk to measure.
// usage: Skep.Bench.Raft [rate | peers | faults | restart | snapshot | soak] [numbers]
using System.Globalization;
using Skep.Bench.Raft;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["member", var folder, var id, var machine, .. var ports])
{
    await MemberProcess.RunAsync(folder, ulong.Parse(id), machine, [.. ports.Select(int.Parse)]);
    return 0;
}

string what = args.Length > 0 ? args[0] : "rate";
int Number(int place, int otherwise) => args.Length > place ? int.Parse(args[place]) : otherwise;
string parent = Environment.GetEnvironmentVariable("SKEP_BENCH_FOLDER") ?? Path.GetTempPath();
switch (what)
{
    case "rate":
        await RateTable.RunAsync(parent, Number(1, 3), Number(2, 3), Number(3, 3), beside: false);
        return 0;
    case "peers":
        await RateTable.RunAsync(parent, Number(1, 3), Number(2, 5), Number(3, 3), beside: true);
        return 0;
    case "faults":
        await FaultTable.RunAsync(parent, Number(1, 20));
        return 0;
    case "restart":
        await Restart.RunAsync(parent, Number(1, 1024));
        return 0;
    case "snapshot":
        await SnapshotStall.RunAsync(parent);
        return 0;
    case "soak":
        await Soak.RunAsync(parent, Number(1, 10));
        return 0;
    default:
        Console.Error.WriteLine($"Error: there is no \"{what}\" here: rate, peers, faults, restart, snapshot or soak");
        return 255;
}
