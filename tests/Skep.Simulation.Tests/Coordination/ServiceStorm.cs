namespace Skep.Simulation;

/// <summary>What goes wrong around a service and its clients, each seed with its own taste.</summary>
internal sealed class ServiceStorm
{
    private readonly Service _service;
    private readonly World _world;
    private readonly Random _random;
    private readonly (double Weight, Action Act)[] _acts;
    private readonly int _meanUs;
    private readonly bool _isSlow;
    private bool _over;

    public ServiceStorm(Service service)
    {
        (_service, _world, _random) = (service, service.World, service.World.Random);
        // What is decided takes as long to be agreed on as clients need to come back.
        _isSlow = _random.Next(5) == 0;
        _meanUs = 200_000 + _random.Next(2_000_000);
        _acts =
        [
            (Taste(), () => Crash(Any())), (Taste(), CrashLeader), (Taste(), Split), (Taste(), CutLeaderOff), (Taste(), CutOneWay), (Taste(), SlowDisk),
            (Taste(), Transfer), (Taste(), Snapshot), (_random.Next(3) == 0 ? Taste() : 0, Pause), (Taste(), BadWeather), (2 * Taste(), CutClient), (_isSlow ? 3 : Taste(), Silence),
            (_random.Next(2) == 0 ? 2 * Taste() : 0, Scatter), (service.Membership.IsChanging ? 2 * Taste() : 0, service.Membership.Change),
        ];
    }

    public static NetworkWeather Fair(Random random) => new()
    {
        LatencyUs = 200 + random.Next(2_000),
        Loss = random.NextDouble() * 0.01,
        AsideLoss = random.Next(2) == 0 ? 0 : random.NextDouble() * 0.05,
        Duplicates = random.NextDouble() * 0.02,
        Stragglers = random.NextDouble() * 0.02,
        StragglerUs = 1 + random.Next(150_000),
    };

    public void Start()
    {
        if (_isSlow)
        {
            _world.Nodes.ForEach(n => n.Disk.SyncUs = 50_000 + _random.Next(300_000));
        }
        Next();
    }

    /// <summary>Mends everything.</summary>
    public void End()
    {
        _over = true;
        _world.Heal();
        _world.Weather = new NetworkWeather();
        _service.ClientLatencyUs = 500;
        foreach (SimulatedNode node in _world.Nodes)
        {
            node.Disk.SyncUs = 200;
            Start(node);
        }
    }

    private double Taste() => _random.Next(3) == 0 ? 0 : _random.NextDouble();

    private SimulatedNode Any() => _world.Nodes[_random.Next(_world.Nodes.Count)];

    private void Next() => _world.At(_world.NowUs + (long)(-Math.Log(1 - _random.NextDouble()) * _meanUs), () =>
    {
        if (_over)
        {
            return;
        }
        double at = _random.NextDouble() * _acts.Sum(static a => a.Weight);
        foreach ((double weight, Action act) in _acts)
        {
            at -= weight;
            if (at < 0)
            {
                act();
                break;
            }
        }
        Next();
    });

    private void Later(int maxMs, Action act) => _world.At(_world.NowUs + (1000L * (1 + _random.Next(maxMs))), () =>
    {
        if (!_over)
        {
            act();
        }
    });

    // Most last as long as an election; some as long as sessions do.
    private int Time() => _random.Next(4) == 0 ? 12_000 : 2_500;

    private void Crash(SimulatedNode node)
    {
        if (!node.IsUp)
        {
            return;
        }
        _world.Say(() => $"{node.Id} crashes");
        node.Crash();
        Later(_random.Next(2) == 0 ? 100 : Time(), () =>
        {
            _world.Say(() => $"{node.Id} starts");
            Start(node);
        });
    }

    private void Start(SimulatedNode node)
    {
        if (!node.IsUp && !_service.Membership.IsOut(node))
        {
            node.Start();
        }
    }

    private void CrashLeader()
    {
        if (_world.LeaderNode is { } leader)
        {
            Crash(leader);
        }
    }

    private void Split()
    {
        int[] sides = [.. _world.Nodes.Select(_ => _random.Next(2))];
        _world.Say(() => $"the network splits: {string.Join(' ', sides)}");
        for (int a = 0; a < sides.Length; a++)
        {
            for (int b = 0; b < a; b++)
            {
                if (sides[a] != sides[b])
                {
                    _world.CutBoth((ulong)a + 1, (ulong)b + 1);
                }
            }
        }
        Later(Time(), _world.Heal);
    }

    // Each for itself, for long enough that clients find no leader anywhere.
    private void Scatter()
    {
        _world.Say(() => "nobody reaches anybody");
        foreach (SimulatedNode one in _world.Nodes)
        {
            foreach (SimulatedNode other in _world.Nodes)
            {
                _world.Cut(one.Id, other.Id);
            }
        }
        Later(15_000, _world.Heal);
    }

    private void CutLeaderOff()
    {
        if (_world.LeaderNode is not { } leader)
        {
            return;
        }
        _world.Say(() => $"{leader.Id} is cut off");
        foreach (SimulatedNode other in _world.Nodes)
        {
            _world.CutBoth(leader.Id, other.Id);
        }
        Later(Time(), _world.Heal);
    }

    private void CutOneWay()
    {
        for (int i = _random.Next(1, 4); i > 0; i--)
        {
            _world.Cut(Any().Id, Any().Id);
        }
        Later(Time(), _world.Heal);
    }

    private void SlowDisk()
    {
        SimulatedNode node = Any();
        node.Disk.SyncUs = 5_000 + _random.Next(300_000);
        Later(Time(), () => node.Disk.SyncUs = 200);
    }

    private void Transfer()
    {
        if (_world.LeaderNode is { } leader)
        {
            ulong target = Any().Id;
            _world.Say(() => $"{leader.Id} is asked to hand over to {target}");
            leader.Transfer(target);
        }
    }

    private void Snapshot()
    {
        if (Any() is { IsUp: true } node)
        {
            node.TakeSnapshot();
        }
    }

    private void Pause()
    {
        SimulatedNode node = Any();
        if (node.PausedUntilUs > _world.NowUs)
        {
            // What waits for the end of one pause would be overtaken in another.
            return;
        }
        _world.Say(() => $"{node.Id} stands still");
        node.PausedUntilUs = _world.NowUs + _random.Next(_random.Next(3) == 0 ? 8_000_000 : 1_500_000);
    }

    private void BadWeather()
    {
        _service.ClientLatencyUs = 300 + _random.Next(30_000);
        _world.Weather = new NetworkWeather
        {
            LatencyUs = 300 + _random.Next(30_000),
            Loss = _random.NextDouble() * 0.2,
            AsideLoss = _random.NextDouble() * 0.3,
            Duplicates = _random.NextDouble() * 0.2,
            Stragglers = _random.NextDouble() * 0.1,
            StragglerUs = 1 + _random.Next(400_000),
        };
        Later(Time(), () =>
        {
            _service.ClientLatencyUs = 500;
            _world.Weather = Fair(_random);
        });
    }

    private void CutClient()
    {
        if (_service.Clients[_random.Next(_service.Clients.Count)].Link is not { } link)
        {
            return;
        }
        _world.Say(() => "a client's link breaks");
        if (_random.Next(2) == 0)
        {
            link.Break();
        }
        else
        {
            link.IsCut = true;
        }
    }

    // Half of them come back when their session is just about to end.
    private void Silence()
    {
        SimulatedClient client = _service.Clients[_random.Next(_service.Clients.Count)];
        client.FallSilent(_random.Next(2) == 0 ? _world.NowUs + 500_000 + _random.Next(15_000_000) : client.EndsUs - 300_000 + _random.Next(600_000));
    }
}
