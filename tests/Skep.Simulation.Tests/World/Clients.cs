namespace Skep.Simulation;

/// <summary>
/// Clients that write and read registers at whichever member they take for the leader, one operation after another each,
/// and what they saw.
/// </summary>
internal sealed class Clients(World world, int count)
{
    private readonly List<Operation>[] _histories = [.. Enumerable.Range(0, RegisterState.Keys).Select(_ => new List<Operation>())];
    private readonly Dictionary<int, (int Key, long Began)> _open = [];
    private readonly int[] _issued = new int[RegisterState.Keys];
    private int _nextValue;
    private long _steps;
    private bool _stopped;

    public int Answered { get; private set; }

    public void Start()
    {
        for (var i = 0; i < count; i++)
        {
            Next();
        }
    }

    public void Stop() => _stopped = true;

    public void CheckHistories()
    {
        foreach (var (value, (key, began)) in _open)
        {
            _histories[key].Add(new Operation(true, value, began, null));
        }

        for (var key = 0; key < RegisterState.Keys; key++)
        {
            if (!LinearizabilityChecker.IsLinearizable(_histories[key]))
            {
                throw new SimulationFailure("linearizability", $"no order explains what clients saw of register {key}");
            }
        }
    }

    private void Next()
    {
        var pause = world.Random.Next(30_000);
        world.At(world.NowUs + pause, () =>
        {
            var key = world.Random.Next(RegisterState.Keys);
            if (!_stopped && _issued[key] < LinearizabilityChecker.MaxOperations)
            {
                _issued[key]++;
                Ask(key);
            }
        });
    }

    private void Ask(int key)
    {
        var isPut = world.Random.Next(5) < 2;
        var value = isPut ? ++_nextValue : 0;
        var began = ++_steps;
        var node = Choose();
        if (isPut)
        {
            _open[value] = (key, began);
        }

        var settled = false;

        void Settle(bool answered, int result)
        {
            if (settled)
            {
                return;
            }

            settled = true;
            if (answered)
            {
                Answered++;
                _open.Remove(value);
                _histories[key].Add(new Operation(isPut, result, began, ++_steps));
            }

            Next();
        }

        void Fail()
        {
            if (!settled)
            {
                settled = true;
                _open.Remove(value);
                _issued[key]--;
                Next();
            }
        }

        // An answer takes its time, and does not come from a process that is gone.
        void Reply(int life, Action answer) =>
            world.At(world.NowUs + world.Spread(300), () =>
            {
                if (node.IsUp && node.Life == life)
                {
                    answer();
                }
            });

        world.At(world.NowUs + world.Spread(300), node, node.Life, () =>
        {
            var life = node.Life;
            if (isPut)
            {
                node.Put(key, value, world.Random.Next(40), applied => Reply(life, applied ? () => Settle(true, value) : Fail));
            }
            else
            {
                node.Get(key, read => Reply(life, read is { } found ? () => Settle(true, found) : Fail));
            }
        });
        world.At(world.NowUs + 100_000 + world.Random.Next(600_000), () =>
        {
            Settle(false, 0);
        });
    }

    private SimulatedNode Choose()
    {
        var leaders = world.Nodes.Where(n => n.IsUp && n.Core.Role == Raft.Consensus.Role.Leader).ToList();
        var choice = leaders.Count > 0 && world.Random.Next(5) > 0 ? leaders : world.Nodes;
        return choice[world.Random.Next(choice.Count)];
    }
}
