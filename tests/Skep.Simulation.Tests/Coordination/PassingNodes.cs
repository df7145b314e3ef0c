using System.Globalization;
using Skep.Jute;

namespace Skep.Simulation;

/// <summary>Containers and nodes with a time to live: clients make, fill and empty them, and only the service takes them away.</summary>
internal sealed class PassingNodes(Service service, SimulatedClient client)
{
    private const int Names = 3;
    private static readonly Acl[] Anyone = [new(31, new AclId("world", "anyone"))];
    private readonly Random _random = service.World.Random;

    public void Do()
    {
        bool isContainer = _random.Next(2) == 0;
        string path = (isContainer ? PassingTruth.Containers : PassingTruth.TimesToLive) + "n" + _random.Next(Names).ToString(CultureInfo.InvariantCulture);
        switch (_random.Next(7))
        {
            case 0:
                Make(path, isContainer);
                break;
            case 1 or 2:
                Fill(path);
                break;
            case 3 or 4:
                client.Ask(OpCode.Delete, (ref JuteWriter w) => new VersionedPathRequest(path + "/x", -1).Write(ref w), (header, _) =>
                    client.Expect(header, path, ErrorCode.Ok, ErrorCode.NoNode));
                break;
            case 5:
                int value = ++service.Seen.NextValue;
                client.Ask(OpCode.SetData, (ref JuteWriter w) => new SetDataRequest(path, Workload.Data(value), -1).Write(ref w), (header, _) =>
                    client.Expect(header, path, ErrorCode.Ok, ErrorCode.NoNode), null, value);
                break;
            default:
                Look(path);
                break;
        }
    }

    private void Make(string path, bool isContainer)
    {
        int value = ++service.Seen.NextValue;
        CreateRequest node = new(path, Workload.Data(value), Anyone, isContainer ? 4 : 5);
        BodyWriter body = isContainer ? (ref JuteWriter w) => node.Write(ref w) : (ref JuteWriter w) => new CreateTtlRequest(path, node.Data, Anyone, 5, PassingTruth.TtlMs(path)).Write(ref w);
        client.Ask(isContainer ? OpCode.CreateContainer : OpCode.CreateTtl, body, (header, answer) =>
        {
            client.Expect(header, path, ErrorCode.Ok, ErrorCode.NodeExists);
            var reader = new JuteReader(answer);
            if (header.Err == 0 && Create2Response.Read(ref reader).Stat.EphemeralOwner != 0)
            {
                throw new SimulationFailure("containers", $"client {client.Number} is told that a session owns {path}");
            }
        }, null, value);
    }

    // As locks do: some children are a session's, and go with it.
    private void Fill(string path)
    {
        int value = ++service.Seen.NextValue;
        (string child, int flags) = _random.Next(2) == 0 ? (path + "/x", 0) : (path + "/e", 1);
        client.Ask(OpCode.Create, (ref JuteWriter w) => new CreateRequest(child, Workload.Data(value), Anyone, flags).Write(ref w), (header, _) =>
            client.Expect(header, child, ErrorCode.Ok, ErrorCode.NodeExists, ErrorCode.NoNode), null, value);
    }

    private void Look(string path) => client.Ask(OpCode.Exists, (ref JuteWriter w) => new PathWatchRequest(path, true).Write(ref w), (header, _) =>
    {
        client.Expect(header, path, ErrorCode.Ok, ErrorCode.NoNode);
        if (service.Truth.At(path, header.Zxid).IsThere != (header.Err == 0))
        {
            throw new SimulationFailure("reads", $"client {client.Number} is answered {(ErrorCode)header.Err} for {path} at zxid {header.Zxid}");
        }
        client.Watches.Add(path, ofChildren: false, header.Err == 0, header.Zxid);
    }, freshSince: client.ReadsAreFresh ? service.ShownZxid : null);
}
