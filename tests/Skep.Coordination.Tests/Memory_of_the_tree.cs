using Skep.Coordination.Snapshots;
using Skep.Coordination.Tree;
using Skep.Jute;
using static Skep.Coordination.Tests.Trees;

namespace Skep.Coordination.Tests;

/// <summary>Alone in its process while it measures: others' memory would be counted too.</summary>
[CollectionDefinition(nameof(Memory_of_the_tree), DisableParallelization = true)]
[Collection(nameof(Memory_of_the_tree))]
public sealed class Memory_of_the_tree
{
    [Fact]
    public void A_small_znode_costs_at_most_250_bytes_with_its_place_in_the_index()
    {
        const int nodes = 300_000;
        long before = GC.GetTotalMemory(true);
        var t = new Trees();
        t.Do(Create("/parent"));
        for (int i = 0; i < nodes; i++)
        {
            t.Do(Create($"/parent/node{i:D8}", data: "0123456789abcdef"));
        }
        double each = (GC.GetTotalMemory(true) - before) / (double)nodes;
        TestContext.Current.SendDiagnosticMessage($"{each:F0} bytes a znode (name 12, data 16 bytes)");
        GC.KeepAlive(t);
        Assert.InRange(each, 1, 250);
    }
}
