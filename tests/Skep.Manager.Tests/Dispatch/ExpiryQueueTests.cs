using CsCheck;
using Skep.Manager.Dispatch.Sessions;

namespace Skep.Manager.Tests.Dispatch;

public sealed class ExpiryQueueTests
{
    [Fact]
    public void It_gives_out_exactly_what_a_table_of_deadlines_would()
    {
        Gen<(int Id, int What, int Delay)> step = Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3], Gen.Int[1, 20]);
        step.Array[1, 200].Sample(steps =>
        {
            var queue = new ExpiryQueue();
            var table = new Dictionary<string, TimeSpan>();
            TimeSpan now = TimeSpan.Zero;
            foreach ((int id, int what, int delay) in steps)
            {
                string key = $"n{id}";
                TimeSpan later = now + TimeSpan.FromSeconds(delay);
                switch (what)
                {
                    case 0 or 1:
                        queue.Set(key, later);
                        table[key] = later;
                        break;
                    case 2:
                        queue.Remove(key);
                        table.Remove(key);
                        break;
                    default:
                        now = later;
                        string[] due = [.. table.Where(e => e.Value <= now).Select(e => e.Key).Order()];
                        Assert.Equal(due, queue.TakeExpired(now).Order());
                        Array.ForEach(due, d => table.Remove(d));
                        break;
                }
            }
        });
    }
}
