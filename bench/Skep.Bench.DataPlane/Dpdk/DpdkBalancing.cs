using Skep.DataPlane.Balancing.Configuration;

namespace Skep.Bench.DataPlane.Dpdk;

/// <summary>The whole way through the balancer, from one DPDK port to another and, in turns, between memory ports; generator included, on one core.</summary>
internal static class DpdkBalancing
{
    private const int Runs = 5;
    private const long Packets = 3_000_000;
    private static readonly Case[] Cases =
    [
        new("ports alone", 1_000, null, 32, null), new("nat, 1 000 flows", 1_000, BalanceMode.Nat, 32, null), new("dsr, 1 000 flows", 1_000, BalanceMode.Dsr, 32, null),
        new("nat, 1 M flows", 1_000_000, BalanceMode.Nat, 32, null),
    ];

    /// <summary>Measures on the calling thread and prints.</summary>
    public static void Run()
    {
        Console.WriteLine($"{"balancer, Mpps",-30} {"net_ring to net_null",22} {"memory to memory",18}");
        foreach (Case what in Cases)
        {
            using BenchRig dpdk = new(what, new DpdkWire()), memory = new(what, new MemoryWire(what.Burst));
            List<double> over = [], within = [];
            dpdk.Open();
            memory.Open();
            // The compiler works beside and needs some rounds, and some time, before it has done with what is hot.
            for (int run = -4; run < Runs; run++)
            {
                double one = dpdk.Run(Packets).Wall, other = memory.Run(Packets).Wall;
                if (run >= 0)
                {
                    over.Add(one);
                    within.Add(other);
                }
            }
            Console.WriteLine($"{what.Name,-30} {over.Order().ElementAt(Runs / 2),22:F1} {within.Order().ElementAt(Runs / 2),18:F1}");
        }
    }
}
