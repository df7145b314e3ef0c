namespace Skep.Simulation;

/// <summary>
/// Whether a register's history can be put into one order in which every operation takes place between its call and its
/// answer. Wing and Gong's search, with Lowe's memory of what was tried: the set of operations done and the value then.
/// </summary>
internal static class LinearizabilityChecker
{
    public const int MaxOperations = 128;

    public static bool IsLinearizable(IReadOnlyList<Operation> history)
    {
        // A write without an answer that nobody read may as well never have happened.
        var read = history.Where(o => !o.IsPut).Select(o => o.Value).ToHashSet();
        var operations = history.Where(o => o.IsPut ? o.Ended is not null || read.Contains(o.Value) : o.Ended is not null)
            .OrderBy(o => o.Began).ToArray();
        if (operations.Length > MaxOperations)
        {
            throw new ArgumentException($"{operations.Length} operations on one register, expected at most {MaxOperations}", nameof(history));
        }

        var required = UInt128.Zero;
        for (var i = 0; i < operations.Length; i++)
        {
            required |= operations[i].Ended is null ? 0 : UInt128.One << i;
        }

        var tried = new HashSet<(UInt128 Done, int Value)>();
        var open = new Stack<(UInt128 Done, int Value)>();
        open.Push((0, 0));
        while (open.TryPop(out var state))
        {
            if ((required & ~state.Done) == 0)
            {
                return true;
            }

            // What is first among the rest was called before any of the rest was answered.
            var firstEnd = long.MaxValue;
            for (var i = 0; i < operations.Length && operations[i].Began < firstEnd; i++)
            {
                if ((state.Done >> i & 1) == 0)
                {
                    firstEnd = Math.Min(firstEnd, operations[i].Ended ?? long.MaxValue);
                }
            }

            for (var i = 0; i < operations.Length && operations[i].Began < firstEnd; i++)
            {
                var operation = operations[i];
                if ((state.Done >> i & 1) == 0 && (operation.IsPut || operation.Value == state.Value))
                {
                    var next = (state.Done | UInt128.One << i, operation.Value);
                    if (tried.Add(next))
                    {
                        open.Push(next);
                    }
                }
            }
        }

        return false;
    }
}
