using System.Collections;
using System.Reflection;
using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Coordination.Sessions;
using Skep.Coordination.Tree;
using Skep.Jute;

namespace Skep.Simulation;

/// <summary>What was done in a run.</summary>
internal readonly record struct ServiceRun(long Steps, int Answers, int Events, int Expired, int Reconnects, int Changes, int ReadOnly, int Passed);

/// <summary>One run of the service from one seed: a storm over members and clients, then peace, then nobody.</summary>
internal static class ServiceSimulation
{
    private const int PeaceMs = 30_000;
    private const int MostTillEmptyMs = 60_000;
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.NonPublic;

    // Numbers of what was told last, at most 64.
    private static readonly string[] Bounded = ["_touches"];

    /// <summary>Runs a seed.</summary>
    /// <exception cref="SimulationFailure">Something is not as it is promised.</exception>
    public static ServiceRun Run(int seed, ServiceOptions options)
    {
        var service = new Service(seed, options);
        try
        {
            Run(service);
        }
        catch (Exception e) when (e is not SimulationFailure)
        {
            throw new SimulationFailure("service", e.ToString());
        }
        return new ServiceRun(service.World.Steps, service.Answers, service.Clients.Sum(static c => c.Watches.Events), service.Truth.Expired, service.Clients.Sum(static c => c.Connections - 1),
            service.Truth.Changes, service.ReadOnlyConnections, service.Truth.Passing.Removed);
    }

    private static void Run(Service service)
    {
        World world = service.World;
        service.Found();
        service.Workloads.ForEach(static w => w.Start());
        var storm = new ServiceStorm(service);
        storm.Start();
        world.RunUntil(world.NowUs + (1000L * service.Options.StormMs));
        storm.End();
        world.Say(() => "the storm is over");

        var probes = new Dictionary<SimulatedClient, (int Connection, bool IsAnswered)>();
        bool served = Until(service, PeaceMs, () => service.Clients.Count(c => IsServed(c, probes)) == service.Clients.Count);
        service.Workloads.ForEach(static w => w.IsStopped = true);
        if (!served || !Until(service, PeaceMs, () => service.Clients.All(static c => c is { Waiting: 0, IsOpen: true }) && IsCalm(service)))
        {
            throw new SimulationFailure("liveness", $"{PeaceMs} ms after the storm a client is not served: " + string.Join(", ", service.Clients.Select(static c => $"{c.Number} {(c.IsOpen ? "open" : c.IsSilent ? "silent" : "without a session")}, waits for {c.Waiting}")));
        }
        service.Seen.Check(service.Truth);
        CheckTrees(service);

        foreach (SimulatedClient client in service.Clients)
        {
            (world.Random.Next(2) == 0 ? (Action)client.Finish : client.Vanish)();
        }
        string left = "";
        if (!Until(service, MostTillEmptyMs, () => IsCalm(service) && (left = Left(service)).Length == 0))
        {
            throw new SimulationFailure("leftovers", $"{MostTillEmptyMs} ms after the last client there is left: {left}");
        }
        CheckTrees(service);
    }

    private static bool Until(Service service, int patienceMs, Func<bool> done)
    {
        for (long endUs = service.World.NowUs + (1000L * patienceMs); service.World.NowUs < endUs;)
        {
            service.World.RunUntil(service.World.NowUs + 250_000);
            if (done())
            {
                return true;
            }
        }
        return false;
    }

    // Asks once on each connection.
    private static bool IsServed(SimulatedClient client, Dictionary<SimulatedClient, (int Connection, bool IsAnswered)> probes)
    {
        (int connection, bool isAnswered) = probes.GetValueOrDefault(client);
        if (!isAnswered && client is { IsOpen: true, IsSilent: false, IsReadOnly: false } && connection != client.Connections)
        {
            probes[client] = (client.Connections, false);
            client.Ask(OpCode.Sync, static (ref JuteWriter w) => new PathRequest("/").Write(ref w), (_, _) => probes[client] = (client.Connections, true));
        }
        return isAnswered;
    }

    private static bool IsCalm(Service service) =>
        service.Membership.IsSettled && service.World.LeaderNode is { } leader && service.Membership.Wanted.All(n => n.Applied == leader.Core.LastIndex);

    private static void CheckTrees(Service service)
    {
        string expected = Text(service.Truth.Tree);
        foreach ((SimulatedNode node, Member member) in service.Members)
        {
            string found = member.Look(static view => Text(view.Tree));
            if (found != expected)
            {
                (string a, string b) = expected.Split('\n').Zip(found.Split('\n')).FirstOrDefault(static l => l.First != l.Second);
                throw new SimulationFailure("trees", $"member {node.Id} has another tree: {b ?? "fewer lines"}, expected {a}");
            }
        }
    }

    private static string Text(ZnodeTree tree)
    {
        var text = new StringBuilder($"zxid {tree.LastZxid}, {tree.Count} nodes, {tree.SizeBytes} bytes\n");
        foreach ((long id, Session session) in tree.Sessions.OrderBy(static s => s.Key))
        {
            text.Append($"session {id:x} {Convert.ToHexString(session.Password)} {session.TimeoutMs} {session.Token:x} {session.Epoch} {session.LastRequest} {string.Join(' ', session.Identities)}: {string.Join(' ', tree.Ephemerals(id, "/"))}\n");
        }
        Add("/");
        return text.ToString();

        void Add(string path)
        {
            tree.GetData(Caller.Own, path, out GetDataResponse data);
            tree.GetAcl(Caller.Own, path, out GetAclResponse acl);
            text.Append($"{path} {Convert.ToHexString(data.Data.GetValueOrDefault().Span)} {data.Stat} {string.Join(' ', acl.Acl)}\n");
            tree.GetChildren(Caller.Own, path, out GetChildren2Response children);
            foreach (string child in children.Children.Order(StringComparer.Ordinal))
            {
                Add((path == "/" ? "" : path) + "/" + child);
            }
        }
    }

    // Sessions, connections, and whatever a member keeps in collections of its own.
    private static string Left(Service service)
    {
        var left = new StringBuilder();
        left.AppendJoin("", service.Truth.Passing.Over(service.WallMs).Select(static path => $"{path}, which is over; "));
        if (SimulatedConsensus.TextOf(service.Truth.Configuration) is var members && service.Truth.ToldMembers != members)
        {
            left.Append($"in getConfig's node the members {service.Truth.ToldMembers}, and not {members}; ");
        }
        foreach ((SimulatedNode node, Member member) in service.Members)
        {
            member.Look(view =>
            {
                Say(view.Tree.Sessions.Count, "sessions");
                Say(view.Connections.Count, "connections");
                Say(view.Watches.Count + view.Watches.Paths + view.Watches.Sessions, "watches");
                Say(view.Figures.Outstanding, "requests that wait");
                Say(view.Figures.OutstandingSizeBytes, "bytes that wait");
                return 0;
            });
            Count(member);

            void Count(object owner)
            {
                foreach (FieldInfo field in owner.GetType().GetFields(Fields))
                {
                    switch (field.GetValue(owner))
                    {
                        case WriteQueue or SessionExpiry:
                            Count(field.GetValue(owner)!);
                            break;
                        case ICollection collection when !Bounded.Contains(field.Name):
                            Say(collection.Count, field.Name);
                            break;
                        // Sets are no ICollection.
                        case IEnumerable set and not ICollection and not string when field.Name != "_words":
                            Say(set.Cast<object>().Count(), field.Name);
                            break;
                        default:
                            break;
                    }
                }
            }

            void Say(long count, string what)
            {
                if (count != 0)
                {
                    left.Append($"{count} {what} at member {node.Id}; ");
                }
            }
        }
        return left.ToString();
    }
}
