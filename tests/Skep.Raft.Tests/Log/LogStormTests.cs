using CsCheck;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Log;

public sealed class LogStormTests
{
    private static readonly bool Soak = Environment.GetEnvironmentVariable("SKEP_SOAK") == "1";

    [Fact]
    public void A_crash_at_any_write_loses_nothing_acknowledged_and_reuses_no_nonce() =>
        Gen.Int[0, int.MaxValue].Sample(
            seed => new LogStorm(seed, SectorDisk.FaultKinds.None).Run(60), iter: Soak ? 3_000 : 120, threads: 2);

    [Fact]
    public void Full_disks_and_failed_syncs_in_between_lose_nothing_either() =>
        Gen.Int[0, int.MaxValue].Sample(
            seed => new LogStorm(seed, SectorDisk.FaultKinds.Full | SectorDisk.FaultKinds.FailedSync).Run(60), iter: Soak ? 3_000 : 120, threads: 2);
}
