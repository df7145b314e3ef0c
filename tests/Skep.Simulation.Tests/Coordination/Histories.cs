namespace Skep.Simulation;

/// <summary>What all clients saw of the nodes that several of them write.</summary>
internal sealed class Histories
{
    public const int Registers = 4;
    private readonly List<Operation>[] _registers = [.. Enumerable.Range(0, Registers).Select(static _ => new List<Operation>())];
    private readonly int[] _issued = new int[Registers];
    private readonly List<(int Value, long Began, long? Ended, int Sequence)> _names = [];

    public long Step { get; set; }

    public int NextValue { get; set; }

    public bool MayAsk(int register) => _issued[register] < LinearizabilityChecker.MaxOperations && ++_issued[register] > 0;

    public void Add(int register, Operation operation) => _registers[register].Add(operation);

    public void Name(int value, long began, int sequence) => _names.Add((value, began, ++Step, sequence));

    public void Check(Truth truth)
    {
        for (int register = 0; register < Registers; register++)
        {
            if (!LinearizabilityChecker.IsLinearizable(_registers[register]))
            {
                throw new SimulationFailure("linearizability", $"no order explains what clients saw of /r{register}");
            }
        }
        if (_names.DistinctBy(static n => n.Sequence).Count() != _names.Count)
        {
            throw new SimulationFailure("sequential names", "two clients were given the same name");
        }
        long lastEnd = 0;
        int highest = -1;
        var ends = new PriorityQueue<int, long>();
        foreach ((int value, long began, long? ended, int sequence) in _names.OrderBy(static n => n.Began))
        {
            while (ends.TryPeek(out int before, out lastEnd) && lastEnd < began)
            {
                highest = Math.Max(highest, before);
                ends.Dequeue();
            }
            if (sequence < highest)
            {
                throw new SimulationFailure("sequential names", $"the create of {value} began after number {highest} was given out, and was given {sequence}");
            }
            ends.Enqueue(sequence, ended!.Value);
            if (truth.ZxidOf(value, "/q/") == 0)
            {
                throw new SimulationFailure("durability", $"the create of {value} was acknowledged and is nowhere");
            }
        }
    }
}
