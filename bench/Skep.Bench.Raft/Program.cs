// Commands a second through a group of members, each a process of its own on the loopback with its log on a real disk and mTLS
// between them; the client is another process, on one pipelined TLS stream to the leader.
//   rate [members] [seconds a row] [folder on the disk to measure]
//   faults [kills] [-] [folder]   what goes on with f of n members killed, and how long it takes to go on
// usage: Skep.Bench.Raft [rate | faults] [numbers]
using System.Globalization;
using Skep.Bench.Raft;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["member", var folder, var id, .. var ports])
{
    await MemberProcess.RunAsync(folder, ulong.Parse(id), [.. ports.Select(int.Parse)]);
    return 0;
}

string what = args.Length > 0 ? args[0] : "rate";
int Number(int place, int otherwise) => args.Length > place ? int.Parse(args[place]) : otherwise;
string parent = args.Length > 3 ? args[3] : Path.GetTempPath();
switch (what)
{
    case "rate":
        await RateTable.RunAsync(parent, Number(1, 3), Number(2, 5));
        return 0;
    case "faults":
        await FaultTable.RunAsync(parent, Number(1, 20));
        return 0;
    default:
        Console.Error.WriteLine($"Error: there is no \"{what}\" here: rate or faults");
        return 255;
}
