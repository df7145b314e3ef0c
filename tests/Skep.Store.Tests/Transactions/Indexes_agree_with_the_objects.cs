using CsCheck;
using Docker.Swarmkit.V1;

namespace Skep.Store.Tests.Transactions;

public sealed class Indexes_agree_with_the_objects
{
    private static readonly Gen<(int Task, int Service, int Node, int Slot, bool Remove)> Change =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 3], Gen.Int[0, 3], (t, s, n, slot, r) => (t, s, n, slot, r == 0));

    // Each inner array is a transaction; after each of them, and inside of it, every index must say what a scan says.
    [Fact]
    public void After_any_transactions() => Change.Array[1, 8].Array[1, 12].Sample(
        transactions =>
        {
            using var store = new ClusterStore(TimeProvider.System);
            foreach (var changes in transactions)
            {
                store.UpdateAsync(tx =>
                {
                    foreach (var change in changes)
                    {
                        Apply(tx, change);
                        Check(tx);
                    }
                }).GetAwaiter().GetResult();
                store.Read(view =>
                {
                    Check(view);
                    return 0;
                });
            }
        },
        iter: 500);

    private static void Apply(WriteTransaction tx, (int Task, int Service, int Node, int Slot, bool Remove) change)
    {
        string id = $"t{change.Task}";
        SwarmTask? old = tx.Get<SwarmTask>(id);
        if (change.Remove)
        {
            if (old is not null)
            {
                tx.Remove<SwarmTask>(id);
            }
            return;
        }
        SwarmTask task = old?.Clone() ?? new SwarmTask { Id = id };
        task.ServiceId = change.Service == 0 ? "" : $"s{change.Service}";
        task.NodeId = change.Node == 0 ? "" : $"n{change.Node}";
        task.Slot = (ulong)change.Slot;
        if (old is null)
        {
            tx.Create(task);
        }
        else
        {
            tx.Update(task);
        }
    }

    private static void Check(IStoreView view)
    {
        List<SwarmTask> all = [.. view.List<SwarmTask>()];
        Assert.Equal(all.Count, view.Count<SwarmTask>());
        foreach (string service in (string[])["s1", "s2"])
        {
            Assert.Equal(IdsOf(all.Where(t => t.ServiceId == service)), IdsOf(view.TasksByService(service)));
            Assert.Equal(IdsOf(all.Where(t => t.ServiceId == service && t.Slot == 1)), IdsOf(view.TasksBySlot(service, 1)));
        }
        foreach (string node in (string[])["n1", "n2"])
        {
            Assert.Equal(IdsOf(all.Where(t => t.NodeId == node)), IdsOf(view.TasksByNode(node)));
        }
    }

    private static IEnumerable<string> IdsOf(IEnumerable<SwarmTask> tasks) => tasks.Select(t => t.Id).Order(StringComparer.Ordinal);
}
