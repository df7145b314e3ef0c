using Skep.V1;
using Swarmctl.Output;

namespace Swarmctl.DataPlane;

/// <summary>What a data plane has counted, for people.</summary>
internal static class StatsText
{
    private const int FirstSeenShown = 10;

    public static TabText Services(DataPlaneStats stats)
    {
        TabText table = TabText.ForList().Header("Service", "Address", "Mode", "Clients", "Backend", "State", "Weight", "Packets", "Bytes", "Flows", "Why");
        foreach (ServiceStats s in stats.Services)
        {
            string about = $"{s.Name}\t{At(s.Address, s.Port)}/{Word(s.Protocol)}\t{Word(s.Mode)}\t{Clients(s)}";
            foreach (BackendStats b in s.Backends)
            {
                table.Line($"{about}\t{At(b.Address, b.Port)}\t{b.State.ToString().ToUpperInvariant()}\t{b.Weight}\t{b.Packets:N0}\t{HumanSize.Of(b.Bytes)}\t{b.Flows:N0}\t{b.Why}");
                about = "\t\t\t";
            }
            if (s.Backends.Count == 0)
            {
                table.Line($"{about}\t-\tNO BACKEND\t\t\t\t\tevery packet to it is dropped: give it a backend");
            }
        }
        return table;
    }

    public static void Write(TextWriter output, DataPlaneStats stats, DateTimeOffset now)
    {
        TabText ports = TabText.ForList().Header("Port", "Driver", "MAC", "Addresses", "Received", "Sent", "Lost");
        foreach (DataPlanePort p in stats.Ports)
        {
            ports.Line($"{p.Name}\t{p.Driver}\t{p.Mac}\t{string.Join(' ', p.Addresses)}\t{p.Received:N0}\t{p.Sent:N0}\t{p.TooLong + p.OffloadRefused + p.Missed:N0}");
        }
        output.Write(ports);
        foreach (DataPlanePort p in stats.Ports.Where(static p => p.Note.Length > 0))
        {
            output.WriteLine($"{p.Name}: {p.Note}");
        }
        foreach (DataPlanePort p in stats.Ports.Where(static p => p.ChecksumsCompleted + p.Segmented > 0))
        {
            output.WriteLine($"{p.Name}: {p.ChecksumsCompleted:N0} checksums were completed and {p.Segmented:N0} large frames cut, which their senders had left to the hardware");
        }
        output.WriteLine();
        TabText workers = TabText.ForList().Header("Worker", "Forwarded", "Returned", "Answered", "ICMP errors", "To kernel", "Flows", "Refused flows", "Handed over", "Taken over", "State");
        foreach (DataPlaneWorker w in stats.Workers)
        {
            workers.Line($"{w.Number}\t{w.Forwarded:N0}\t{w.Returned:N0}\t{w.Answered:N0}\t{w.IcmpErrors:N0}\t{w.ToKernel:N0}\t{w.Flows:N0}\t{w.FlowsRefused:N0}\t{w.HandedOver:N0}\t{w.TakenOver:N0}\t{(w.Stopped.Length > 0 ? "STOPPED: " + w.Stopped : "RUNNING")}");
        }
        output.Write(workers);
        output.WriteLine();
        if (stats.Drops.Count > 0)
        {
            TabText drops = TabText.ForList().Header("Dropped because", "Packets");
            foreach (DropCount d in stats.Drops)
            {
                drops.Line($"{d.Reason}\t{d.Packets:N0}");
            }
            output.Write(drops);
            output.WriteLine();
        }
        output.WriteLine($"Table {stats.Version}, {stats.Services.Count} services; started {HumanTime.Ago(stats.StartedAt, now)}; {stats.FirstSeen.Count:N0} clients were new");
        if (stats.FirstSeen.Last.Count > 0)
        {
            output.WriteLine("New last: " + string.Join(", ", stats.FirstSeen.Last.Take(FirstSeenShown).Select(c => $"{c.Address} ({HumanTime.Ago(c.At, now)})")));
        }
    }

    public static string At(string address, uint port) => address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{port}" : $"{address}:{port}";

    private static string Clients(ServiceStats s) => s.ClientsError == 0 ? $"{s.Clients:N0}" : $"{s.Clients:N0} ± {s.ClientsError:N0}";

    private static string Word(VirtualService.Types.Protocol p) => p == VirtualService.Types.Protocol.Udp ? "udp" : "tcp";

    private static string Word(VirtualService.Types.Mode m) => m == VirtualService.Types.Mode.Dsr ? "dsr" : "nat";
}
