using CsCheck;
using Skep.Raft.Log;

namespace Skep.Raft.Tests.Log;

public sealed class PlaceQueueTests
{
    [Fact]
    public void It_holds_what_a_list_holds_that_is_cut_at_both_ends() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 10_000]).Array[1, 12].Sample(static steps =>
        {
            var queue = new PlaceQueue();
            var list = new List<ulong>();
            ulong next = 0;
            foreach (var (what, amount) in steps)
            {
                var some = list.Count == 0 ? 0 : amount % (list.Count + 1);
                switch (what)
                {
                    case 0:
                        for (var i = 0; i < amount; i++)
                        {
                            queue.Add(new Place(++next, null!, 0, 0));
                            list.Add(next);
                        }

                        break;
                    case 1:
                        queue.RemoveFirst(some);
                        list.RemoveRange(0, some);
                        break;
                    default:
                        queue.Keep(some);
                        list.RemoveRange(some, list.Count - some);
                        break;
                }

                Assert.Equal(list, Enumerable.Range(0, queue.Count).Select(i => queue[i].Term));
            }
        });
}
