using Skep.Raft;
using Skep.Raft.Consensus;

namespace Skep.Simulation;

/// <summary>Members, their network and the time, in one thread: what happens follows from the seed alone.</summary>
internal sealed class World
{
    private readonly PriorityQueue<(SimulatedNode? Node, int Life, Action Act), (long AtUs, long Order)> _events = new();
    private readonly HashSet<(ulong From, ulong To)> _cut = [];
    private readonly Dictionary<(ulong From, ulong To), long> _asideUs = [];
    private const long MaxEvents = 5_000_000;

    private long _order;

    public World(int seed, CoreOptions core, WorldOptions options, int nodes, int voters, double drift)
    {
        Random = new Random(seed);
        CoreOptions = core with { Faults = options.Faults };
        Options = options;
        var configuration = new RaftConfiguration([.. Enumerable.Range(1, voters).Select(i => Member((ulong)i))], [], []);
        for (var id = 1UL; id <= (ulong)nodes; id++)
        {
            var rate = drift == 0 ? 1 : 1 + drift * (2 * Random.NextDouble() - 1);
            var disk = options.RealLog ? new EngineDisk(Random, flips: id == 1, options.DisksLie) : (INodeDisk)new ModelDisk();
            var node = new SimulatedNode(this, id, disk, rate, drift == 0 ? 0 : Random.Next(100_000));
            Nodes.Add(node);
            if (id <= (ulong)voters)
            {
                node.Disk.Begin(new SnapshotMeta(1, 1, 1, configuration), options.Machine(this, node, null).Clone());
            }
        }

        Invariants = new Invariants(Nodes, options.LookAtDisks);
    }

    public Random Random { get; }

    public CoreOptions CoreOptions { get; }

    public WorldOptions Options { get; }

    public List<SimulatedNode> Nodes { get; } = [];

    public Invariants Invariants { get; }

    public NetworkWeather Weather { get; set; } = new();

    public long NowUs { get; private set; }

    public int TickUs { get; init; } = 10_000;

    public long Steps { get; set; }

    /// <summary>Starts that a log refused.</summary>
    public int Refusals { get; set; }

    /// <summary>Moments at which a crash hurts most.</summary>
    public Action<SimulatedNode>? LeaderFound { get; set; }

    public Action<SimulatedNode>? LeaderCommitted { get; set; }

    public Action<SimulatedNode>? TermBegun { get; set; }

    public SimulatedNode? LeaderNode => Nodes.Where(n => n.IsUp && n.Core.Role == Role.Leader).MaxBy(n => n.Core.Term);

    public static RaftMember Member(ulong id) => new(id, "");

    public void StartAll() => Nodes.ForEach(n => n.Start());

    public void At(long timeUs, Action act) => _events.Enqueue((null, 0, act), (timeUs, _order++));

    /// <summary>What happens in a process happens only while that life of it lasts.</summary>
    public void At(long timeUs, SimulatedNode node, int life, Action act) => _events.Enqueue((node, life, act), (timeUs, _order++));

    public void RunUntil(long timeUs, Func<bool>? done = null)
    {
        while (_events.TryPeek(out _, out var when) && when.AtUs <= timeUs && done?.Invoke() != true)
        {
            var (node, life, act) = _events.Dequeue();
            if (_order > MaxEvents)
            {
                throw new SimulationFailure("livelock", $"{MaxEvents} events and no end");
            }

            NowUs = Math.Max(NowUs, when.AtUs);
            if (node is null)
            {
                act();
            }
            else if (node.IsUp && node.Life == life)
            {
                if (node.PausedUntilUs > NowUs)
                {
                    _events.Enqueue((node, life, act), (node.PausedUntilUs, _order++));
                }
                else
                {
                    act();
                }
            }
        }

        if (done?.Invoke() != true)
        {
            NowUs = timeUs;
        }
    }

    /// <summary>Around a mean, with some far from it; exact in fair weather.</summary>
    public long Spread(int meanUs) => Weather.IsExact ? meanUs : (long)(meanUs * (0.3 - Math.Log(1 - Random.NextDouble()) * 0.7));

    public void Send(SimulatedNode from, Message message)
    {
        var to = Nodes[(int)message.To - 1];
        Say(() => MessageText.Of(message));
        var state = message.Type == MessageType.Snapshot ? from.Disk.SnapshotState!.Clone() : null;
        var copies = Weather.Chance(Random, Weather.Loss) || _cut.Contains((from.Id, to.Id)) ? 0 : Weather.Chance(Random, Weather.Duplicates) ? 2 : 1;
        if (message.Type == MessageType.Snapshot)
        {
            // The host knows of a transport that broke, sooner or later.
            var (life, arrived) = (from.Life, copies > 0);
            At(NowUs + 20 * (long)Weather.LatencyUs, from, life, () => from.SnapshotReported(message.To, arrived));
        }

        for (; copies > 0; copies--)
        {
            var delay = Spread(Weather.LatencyUs) + (Weather.Chance(Random, Weather.Stragglers) ? Random.Next(Weather.StragglerUs) : 0);
            At(NowUs + delay, () =>
            {
                if (to.IsUp && !_cut.Contains((from.Id, to.Id)))
                {
                    At(NowUs, to, to.Life, () => to.Receive(message, state));
                }
            });
        }
    }

    /// <summary>Beside the group's messages; those of one member to another keep their order, or are lost.</summary>
    public void SendAside(SimulatedNode from, ulong to, byte[] bytes)
    {
        if (to == from.Id || Weather.Chance(Random, Weather.AsideLoss) || _cut.Contains((from.Id, to)))
        {
            return;
        }

        var node = Nodes[(int)to - 1];
        var at = Math.Max(_asideUs.GetValueOrDefault((from.Id, to)), NowUs + Spread(Weather.LatencyUs));
        _asideUs[(from.Id, to)] = at;
        At(at, () =>
        {
            if (node.IsUp && !_cut.Contains((from.Id, to)))
            {
                At(NowUs, node, node.Life, () => node.State.HearAside(from.Id, bytes));
            }
        });
    }

    public void Cut(ulong from, ulong to) => _cut.Add((from, to));

    public void CutBoth(ulong a, ulong b)
    {
        Cut(a, b);
        Cut(b, a);
    }

    public void Heal() => _cut.Clear();

    public void Say(Func<string> line) => Options.Trace?.Invoke($"{NowUs / 1000,6} {line()}");
}

/// <summary>How the network is at the moment; chances from 0 to 1.</summary>
internal sealed record NetworkWeather
{
    public bool IsExact { get; init; }

    public int LatencyUs { get; init; } = 1000;

    public double Loss { get; init; }

    public double Duplicates { get; init; }

    /// <summary>Of what members say beside the group's messages.</summary>
    public double AsideLoss { get; init; }

    public double Stragglers { get; init; }

    public int StragglerUs { get; init; } = 1;

    public bool Chance(Random random, double chance) => !IsExact && chance > 0 && random.NextDouble() < chance;
}
