// Managers of the published program (./run --build; another folder: SKEP_BIN) on this machine, three and five, killed with -9:
//   with none to all of them killed: do writes go on, do reads, and how fresh are they
//   the leader killed again and again under four writers: time to the next acknowledged write, and acknowledged writes that are lost
// usage: Skep.Bench.FaultTolerance [kills a group size, 20 when not given]
using System.Globalization;
using Skep.Bench.Cluster;
using Skep.Bench.FaultTolerance;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int kills = args.Length > 0 ? int.Parse(args[0]) : 20;
Console.WriteLine($"swarmd as processes on {Environment.ProcessorCount} cores, mTLS, fdatasync before every acknowledgement; load {Machine.Load} when it began");
Console.WriteLine();
Console.WriteLine("| n | killed | writes | reads |");
Console.WriteLine("|---|---|---|---|");
foreach (int members in (int[])[3, 5])
{
    await AvailabilityTable.RunAsync(members);
}
Console.WriteLine();
Console.WriteLine("| n | kills of the leader | to the next acknowledged write: p50 | p99 | max | acknowledged writes | lost |");
Console.WriteLine("|---|---|---|---|---|---|---|");
int lost = 0;
foreach (int members in (int[])[3, 5])
{
    lost += await KillTable.RunAsync(members, kills);
}
Console.WriteLine();
Console.WriteLine($"load {Machine.Load} when it ended");
return lost == 0 ? 0 : 1;
