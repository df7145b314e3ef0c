using Skep.Bench.Cluster;
using Skep.Bench.Raft;

namespace Skep.Bench.Coordination;

/// <summary>
/// What etcd's linearizable reads come to in the same rounds, for comparison alone: it speaks another protocol, so that its client is
/// another too, in this process.
/// </summary>
internal sealed class EtcdReads : IAsyncDisposable
{
    private const int Outstanding = 512;
    private readonly Etcd _etcd;
    private readonly List<ClientRun> _runs = [];

    private EtcdReads(Etcd etcd) => _etcd = etcd;

    /// <returns>Null where etcd is not here.</returns>
    public static async Task<EtcdReads?> StartAsync(int members)
    {
        if (!File.Exists(Etcd.Program))
        {
            Console.WriteLine("no etcd is here to compare linearizable reads with: apt-get install etcd-server");
            return null;
        }
        var etcd = new Etcd(Path.GetTempPath(), members);
        try
        {
            // Every key that is read has a value.
            await ClientRun.RunAsync(etcd, Outstanding, static (count, _) => count < 20_000);
            etcd.Reads = true;
            await ClientRun.RunAsync(etcd, Outstanding, 2);
            return new EtcdReads(etcd);
        }
        catch
        {
            await etcd.DisposeAsync();
            throw;
        }
    }

    public async Task RunAsync(double seconds) => _runs.Add(await ClientRun.RunAsync(_etcd, Outstanding, seconds));

    /// <param name="ours">Our linearizable reads in the same rounds.</param>
    public void Print(IEnumerable<double> ours)
    {
        Console.WriteLine(
            $"{"linearizable get, by gRPC",-27} {Outstanding,11}  {"etcd",-9} {Machine.Median(_runs.Select(static r => r.PerSecond)),9:N0} {Machine.Median(_runs.Select(static r => r.Percentile(0.5))),8:0.00} "
            + $"{Machine.Median(_runs.Select(static r => r.Percentile(0.99))),8:0.00} {Machine.Median(_runs.Select(static r => r.CpuMicroseconds)) / 1000,14:0.0000}");
        Console.WriteLine($"{"",-27} {"",11}  {Machine.Median(ours.Zip(_runs, static (o, e) => o / e.PerSecond)):0.0}x etcd's a second");
    }

    public ValueTask DisposeAsync() => _etcd.DisposeAsync();
}
