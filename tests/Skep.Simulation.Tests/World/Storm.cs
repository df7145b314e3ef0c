namespace Skep.Simulation;

/// <summary>Everything that goes wrong, each seed with its own taste.</summary>
internal sealed class Storm
{
    private readonly World _world;
    private readonly Random _random;
    private readonly (double Weight, Action Act)[] _acts;
    private int _meanUs;
    private List<ulong> _wanted = [];
    private bool _over;

    public Storm(World world)
    {
        _world = world;
        _random = world.Random;
        _meanUs = 20_000 + _random.Next(150_000);
        _acts =
        [
            (Taste(), Crash), (Taste(), CrashLeader), (Taste(), Split), (Taste(), CutLeaderOff), (Taste(), CutOneWay),
            (Taste(), SlowDisk), (Taste(), Transfer), (Taste(), TransferAndCut), (2 * Taste(), Change), (Taste(), Snapshot),
            (Taste(), Pause), (Taste(), BadWeather),
        ];
    }

    public void Start()
    {
        var (shortReigns, deadlyCommits, lostVotes) = (Taste(), Taste() * Taste(), Taste() * Taste());
        var mood = _random.Next(10);
        if (mood < 2)
        {
            // Leaders fall as soon as they are found or commit, and nothing else goes wrong: what one of them wrote to a few
            // members, or to itself alone, outlives several.
            (shortReigns, deadlyCommits, lostVotes) = (0.7, 0.7, 0);
            _meanUs = int.MaxValue;
        }
        else if (mood == 2)
        {
            // A slow network in which candidates do not hear of each other in time, and voters that fall over their votes.
            (shortReigns, deadlyCommits, lostVotes) = (0.8, 0, 0.7);
            _meanUs = int.MaxValue;
            _world.Nodes.ForEach(n => n.Disk.SyncUs = 200 + _random.Next(8_000));
            _world.Weather = new NetworkWeather { LatencyUs = 10_000 + _random.Next(20_000), Loss = 0.3 };
        }

        _world.LeaderFound = leader => Perhaps(shortReigns, () => Soon(() => Fell(leader)));
        _world.LeaderCommitted = leader => Perhaps(deadlyCommits, () => _world.At(_world.NowUs, () => Fell(leader)));
        _world.TermBegun = voter => Perhaps(lostVotes, () => Later(6, () => Crash(voter, 10)));
        Next();
    }

    /// <summary>Mends everything.</summary>
    public void End()
    {
        _over = true;
        _world.Heal();
        _world.Weather = new NetworkWeather();
        foreach (var node in _world.Nodes)
        {
            node.PausedUntilUs = 0;
            node.Disk.SyncUs = 200;
            node.Disk.Mend();
            if (!node.IsUp)
            {
                node.Start();
            }
        }
    }

    private double Taste() => _random.Next(3) == 0 ? 0 : _random.NextDouble();

    private void Next() => _world.At(_world.NowUs + (long)(-Math.Log(1 - _random.NextDouble()) * _meanUs), () =>
    {
        if (_over)
        {
            return;
        }

        var at = _random.NextDouble() * _acts.Sum(a => a.Weight);
        foreach (var (weight, act) in _acts)
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

    private void Later(int maxMs, Action act) => _world.At(_world.NowUs + 1000L * (1 + _random.Next(maxMs)), () =>
    {
        if (!_over)
        {
            act();
        }
    });

    private void Perhaps(double chance, Action act)
    {
        if (!_over && _random.NextDouble() < chance)
        {
            act();
        }
    }

    private void Fell(SimulatedNode leader)
    {
        switch (_random.Next(3))
        {
            case 0:
                CutOff(leader);
                break;
            case 1:
                CutFromSome(leader);
                break;
            default:
                Crash(leader);
                break;
        }
    }

    /// <summary>At this very moment, or a little later.</summary>
    private void Soon(Action act)
    {
        if (_random.Next(3) == 0)
        {
            _world.At(_world.NowUs, act);
        }
        else
        {
            Later(25, act);
        }
    }

    private SimulatedNode Any() => _world.Nodes[_random.Next(_world.Nodes.Count)];

    private void Crash() => Crash(Any());

    private void CrashLeader()
    {
        if (_world.LeaderNode is { } leader)
        {
            Crash(leader);
        }
    }

    private void Crash(SimulatedNode node) => Crash(node, _random.Next(2) == 0 ? 15 : 600);

    private void Crash(SimulatedNode node, int maxDownMs)
    {
        if (node.IsUp)
        {
            _world.Say(() => $"{node.Id} crashes");
            node.Crash();
            Later(maxDownMs, () =>
            {
                _world.Say(() => $"{node.Id} starts");
                node.Start();
            });
        }
    }

    private void Split()
    {
        var sides = _world.Nodes.Select(_ => _random.Next(2)).ToList();
        _world.Say(() => $"the network splits: {string.Join(' ', sides)}");
        for (var a = 0; a < sides.Count; a++)
        {
            for (var b = 0; b < a; b++)
            {
                if (sides[a] != sides[b])
                {
                    _world.CutBoth((ulong)a + 1, (ulong)b + 1);
                }
            }
        }

        Later(800, _world.Heal);
    }

    private void CutLeaderOff()
    {
        if (_world.LeaderNode is { } leader)
        {
            CutOff(leader);
        }
    }

    private void CutOff(SimulatedNode node)
    {
        _world.Say(() => $"{node.Id} is cut off");
        foreach (var other in _world.Nodes)
        {
            _world.CutBoth(node.Id, other.Id);
        }

        Later(600, _world.Heal);
    }

    /// <summary>What it says reaches a few.</summary>
    private void CutFromSome(SimulatedNode node)
    {
        _world.Say(() => $"{node.Id} is cut off from some");
        foreach (var other in _world.Nodes)
        {
            if (_random.Next(3) > 0)
            {
                _world.CutBoth(node.Id, other.Id);
            }
        }

        Later(300, _world.Heal);
    }

    private void CutOneWay()
    {
        for (var i = _random.Next(1, 5); i > 0; i--)
        {
            _world.Cut(Any().Id, Any().Id);
        }

        Later(600, _world.Heal);
    }

    private void SlowDisk()
    {
        var node = Any();
        node.Disk.SyncUs = 5_000 + _random.Next(150_000);
        Later(500, () => node.Disk.SyncUs = 200);
    }

    private void Transfer()
    {
        if (_world.LeaderNode is { } leader)
        {
            var target = Any().Id;
            _world.Say(() => $"{leader.Id} is asked to hand over to {target}");
            leader.Transfer(target);
        }
    }

    /// <summary>The old leader does not hear what became of it.</summary>
    private void TransferAndCut()
    {
        if (_world.LeaderNode is { } leader)
        {
            Transfer();
            Later(4, () => CutOff(leader));
        }
    }

    private void Change()
    {
        if (_world.LeaderNode is not { } leader)
        {
            return;
        }

        var now = leader.Core.Configuration;
        var members = now.Voters.Concat(now.Learners).Select(m => m.Id).ToList();
        if (_wanted.Count == 0)
        {
            _wanted = [.. _world.Nodes.Select(n => n.Id).OrderBy(_ => _random.Next()).Take(_random.Next(1, 6))];
        }

        var strangers = _wanted.Except(members).ToList();
        var voters = now.Voters.Select(m => m.Id).ToList();
        var refusal = strangers.Count > 0 ? leader.Change(voters, strangers) : leader.Change(_wanted, _random.Next(2) == 0 ? [] : [.. voters.Except(_wanted)]);
        _world.Say(() => $"{leader.Id} is asked for members {string.Join(' ', _wanted)}, new {string.Join(' ', strangers)}: {refusal ?? "yes"}");
        if (refusal is null && strangers.Count == 0)
        {
            _wanted = [];
        }

        // Learners need some time; a few more attempts make a change whole.
        if (_random.Next(3) > 0)
        {
            Later(40, Change);
        }
    }

    private void Snapshot()
    {
        var node = Any();
        if (node.IsUp)
        {
            node.TakeSnapshot();
        }
    }

    private void Pause() => Any().PausedUntilUs = _world.NowUs + _random.Next(400_000);

    private void BadWeather()
    {
        _world.Weather = new NetworkWeather
        {
            LatencyUs = 300 + _random.Next(20_000),
            Loss = _random.NextDouble() * 0.3,
            Duplicates = _random.NextDouble() * 0.2,
            Stragglers = _random.NextDouble() * 0.2,
            StragglerUs = 1 + _random.Next(400_000),
        };
        Later(600, () => _world.Weather = Fair(_random));
    }

    public static NetworkWeather Fair(Random random) => new()
    {
        LatencyUs = 200 + random.Next(2000),
        Loss = random.NextDouble() * 0.02,
        Duplicates = random.NextDouble() * 0.02,
        Stragglers = random.NextDouble() * 0.05,
        StragglerUs = 1 + random.Next(150_000),
    };
}
