using System.Globalization;
using System.Text;
using Skep.Raft.Consensus;

namespace Skep.Simulation.Tests;

/// <summary>
/// A story in plain lines, played on an exact network (1 ms a message) with exact disks. What happened comes out between the
/// lines; heartbeats are left out, for they would be most of it.
/// </summary>
internal sealed class Scenario
{
    private const int PatienceMs = 5000;

    private readonly StringBuilder _trace = new();
    private World? _world;
    private int _value;

    private World World => _world ?? throw new FormatException("a story begins with 'members N'");

    public static string Play(string story)
    {
        var scenario = new Scenario();
        foreach (var line in story.Split('\n').Select(l => l.TrimEnd()))
        {
            scenario._trace.Append(line.Length == 0 || line[0] == '#' ? "" : "> ").Append(line).Append('\n');
            if (line.Length > 0 && line[0] != '#')
            {
                scenario.Do(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return scenario._trace.ToString().TrimEnd('\n') + "\n";
    }

    private static ulong Id(string word) => ulong.Parse(word, CultureInfo.InvariantCulture);

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    private void Do(string[] words)
    {
        switch (words)
        {
            case ["members", var voters]:
                Begin(Number(voters), Number(voters));
                break;
            case ["members", var voters, "of", var nodes]:
                Begin(Number(voters), Number(nodes));
                break;
            case ["run", var ms]:
                World.RunUntil(World.NowUs + 1000L * Number(ms));
                break;
            case ["elect"]:
                Until(() => World.LeaderNode is { } l && l.Core.TermAt(l.Core.Commit) == l.Core.Term);
                break;
            case ["write", var count]:
                Write(Number(count));
                break;
            case ["cut", .. var ids]:
                Cut(ids.Select(Id));
                break;
            case ["heal"]:
                World.Heal();
                break;
            case ["stop", var id]:
                Node(id).Crash();
                break;
            case ["start", var id]:
                Node(id).Start();
                break;
            case ["slow", "disk", var id, var ms]:
                Node(id).Disk.SyncUs = 1000 * Number(ms);
                break;
            case ["snapshot", var id, "keep", var count]:
                Node(id).Disk.KeepEntries = Number(count);
                Node(id).TakeSnapshot();
                break;
            case ["read", "at", var id]:
                Node(id).Get(0, value => World.Say(() => $"the reader at {id} hears {value?.ToString(CultureInfo.InvariantCulture) ?? "nothing"}"));
                break;
            case ["hand", "over", "to", var id]:
                Answer(Leader().Transfer(Id(id)));
                break;
            case ["voters", .. var ids]:
                var learners = Array.IndexOf(ids, "learners");
                var end = learners < 0 ? ids.Length : learners;
                Answer(Leader().Change([.. ids.Take(end).Select(Id)], [.. ids.Skip(end + 1).Select(Id)]));
                break;
            case ["show"]:
                Show();
                break;
            default:
                throw new FormatException($"a story has the line '{string.Join(' ', words)}', which is no command");
        }
    }

    private void Begin(int voters, int nodes)
    {
        var core = new CoreOptions { Id = 0, ElectionTimeoutMs = 100, HeartbeatMs = 20, MaxInFlightMessages = 4, CaughtUpEntries = 3, SnapshotTimeoutMs = 500 };
        _world = new World(7, core, new WorldOptions { Trace = Say }, nodes, voters, drift: 0) { Weather = new NetworkWeather { IsExact = true } };
        _world.StartAll();
    }

    private void Say(string line)
    {
        if (!line.Contains(" Heartbeat", StringComparison.Ordinal))
        {
            _trace.Append(line).Append('\n');
        }
    }

    private void Until(Func<bool> done)
    {
        World.RunUntil(World.NowUs + 1000L * PatienceMs, done);
        if (!done())
        {
            throw new InvalidOperationException($"what the story waits for did not come about in {PatienceMs} ms:\n{_trace}");
        }
    }

    private void Write(int count)
    {
        var leader = Leader();
        for (var i = 0; i < count; i++)
        {
            var value = ++_value;
            leader.Put(0, value, 0, done => World.Say(() => $"the writer of {value} hears {(done ? "done" : "no")}"));
        }
    }

    private void Cut(IEnumerable<ulong> ids)
    {
        foreach (var id in ids)
        {
            World.Nodes.ForEach(other => World.CutBoth(id, other.Id));
        }
    }

    private SimulatedNode Node(string id) => World.Nodes[Number(id) - 1];

    private SimulatedNode Leader() => World.LeaderNode ?? throw new InvalidOperationException($"the story needs a leader here, and there is none:\n{_trace}");

    private void Answer(string? refusal) => World.Say(() => refusal is null ? "the leader takes it up" : $"refused: {refusal}");

    private void Show()
    {
        foreach (var node in World.Nodes)
        {
            var core = node.Core;
            var configuration = core.Configuration;
            World.Say(() => !node.IsUp
                ? $"{node.Id}: down"
                : $"{node.Id}: {core.Role} term {core.Term}, log to {core.LastIndex}, commit {core.Commit}, voters {Ids(configuration.Voters)}"
                    + $"{(configuration.IsJoint() ? $" with {Ids(configuration.OutgoingVoters)}" : "")}"
                    + $"{(configuration.Learners.Count > 0 ? $", learners {Ids(configuration.Learners)}" : "")}");
        }
    }

    private static string Ids(IEnumerable<Raft.RaftMember> members) => string.Join(' ', members.Select(m => m.Id));
}
