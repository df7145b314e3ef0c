using Skep.Coordination.Auditing;
using Skep.Coordination.Tree;
using Skep.Coordination.Watches;
using Skep.Jute;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    // Whether the answer shows the tree, so that it can be out of date.
    private static bool IsOfTree(OpCode op) => op is OpCode.Exists or OpCode.GetData or OpCode.GetChildren or OpCode.GetChildren2 or OpCode.GetAcl
        or OpCode.MultiRead or OpCode.GetEphemerals or OpCode.GetAllChildrenNumber or OpCode.SetWatches or OpCode.SetWatches2;

    private void ExecuteRead(Connection connection, int xid, OpCode op, ReadOnlyMemory<byte> body)
    {
        try
        {
            Read(connection, xid, op, body);
        }
        catch (JuteFormatException)
        {
            connection.Reply(xid, Tree.LastZxid, ErrorCode.MarshallingError);
        }
    }

    private void Read(Connection connection, int xid, OpCode op, ReadOnlyMemory<byte> body)
    {
        var reader = new JuteReader(body);
        var caller = new Caller(connection.SessionId, IdentitiesOf(connection));
        ErrorCode err;
        switch (op)
        {
            case OpCode.Exists:
                var exists = PathWatchRequest.Read(ref reader);
                err = Tree.Exists(exists.Path, out Stat stat);
                Watch(connection, exists, WatchKind.Data, err is ErrorCode.Ok or ErrorCode.NoNode);
                Reply(connection, xid, err, new StatResponse(stat));
                break;
            case OpCode.GetData:
                var get = PathWatchRequest.Read(ref reader);
                err = Tree.GetData(caller, get.Path, out GetDataResponse data);
                Watch(connection, get, WatchKind.Data, err == ErrorCode.Ok);
                Reply(connection, xid, err, data);
                break;
            case OpCode.GetChildren or OpCode.GetChildren2:
                var list = PathWatchRequest.Read(ref reader);
                err = Tree.GetChildren(caller, list.Path, out GetChildren2Response children);
                Watch(connection, list, WatchKind.Child, err == ErrorCode.Ok);
                if (op == OpCode.GetChildren)
                {
                    Reply(connection, xid, err, new GetChildrenResponse(children.Children));
                }
                else
                {
                    Reply(connection, xid, err, children);
                }
                break;
            case OpCode.GetAcl:
                err = Tree.GetAcl(caller, reader.ReadRequiredString(), out GetAclResponse acl);
                Reply(connection, xid, err, acl);
                break;
            case OpCode.Sync:
                // As it came: none is one too.
                connection.Reply(xid, Tree.LastZxid, ErrorCode.Ok, reader.ReadBuffer(), static (ReadOnlyMemory<byte>? path, ref JuteWriter w) => w.WriteBuffer(path));
                break;
            case OpCode.Sasl:
                // What it is told stands in the request's place. No zxid: a client says this before setWatches, which must find the one
                // that it saw on its last connection.
                connection.Reply(xid, 0, ErrorCode.Ok, SaslToken.Read(ref reader), static (SaslToken t, ref JuteWriter w) => t.Write(ref w));
                break;
            case OpCode.DeleteContainer:
                connection.Reply(xid, Tree.LastZxid, ErrorCode.BadArguments);
                break;
            case OpCode.MultiRead:
                Reply(connection, xid, ErrorCode.Ok, new MultiResponse([.. MultiRequest.Read(ref reader).Ops.Select(part => ReadPart(caller, part))]));
                break;
            case OpCode.GetEphemerals:
                Reply(connection, xid, ErrorCode.Ok, new GetChildrenResponse(Tree.Ephemerals(connection.SessionId, PathRequest.Read(ref reader).Path)));
                break;
            case OpCode.GetAllChildrenNumber:
                err = Tree.CountBelow(caller, reader.ReadRequiredString(), out int count);
                Reply(connection, xid, err, new GetAllChildrenNumberResponse(count));
                break;
            case OpCode.WhoAmI:
                Reply(connection, xid, ErrorCode.Ok, new WhoAmIResponse([.. caller.Identities.Select(static i => new ClientInfo(i.Scheme, AuditLines.UserOf(i)))]));
                break;
            case OpCode.SetWatches:
                var set = SetWatches.Read(ref reader);
                TakeUpWatches(connection, xid, new SetWatches2(set.RelativeZxid, set.DataWatches, set.ExistWatches, set.ChildWatches, [], []));
                break;
            case OpCode.SetWatches2:
                TakeUpWatches(connection, xid, SetWatches2.Read(ref reader));
                break;
            case OpCode.AddWatch:
                AddWatch(connection, xid, AddWatchRequest.Read(ref reader));
                break;
            case OpCode.RemoveWatches or OpCode.CheckWatches:
                var typed = TypedWatchRequest.Read(ref reader);
                WatchTables tables = typed.Type switch
                {
                    1 => WatchTables.Child,
                    2 => WatchTables.Data,
                    3 => WatchTables.Both,
                    _ => throw new JuteFormatException($"watches of type {typed.Type}; there are 1, children, 2, data, and 3, any"),
                };
                bool had = op == OpCode.RemoveWatches
                    ? _watches.Remove(connection.SessionId, typed.Path, tables)
                    : _watches.Has(connection.SessionId, typed.Path, tables);
                connection.Reply(xid, Tree.LastZxid, had ? ErrorCode.Ok : ErrorCode.NoWatcher);
                break;
            case OpCode.Check when VersionedPathRequest.Read(ref reader) is var _:
            default:
                // A check means something in a multi alone.
                connection.Reply(xid, Tree.LastZxid, ErrorCode.Unimplemented);
                Close(connection);
                break;
        }
    }

    private void Reply<T>(Connection connection, int xid, ErrorCode err, T body) where T : IJuteRecord<T>
    {
        if (err == ErrorCode.Ok)
        {
            connection.Reply(xid, Tree.LastZxid, err, body, static (T b, ref JuteWriter w) => b.Write(ref w));
        }
        else
        {
            connection.Reply(xid, Tree.LastZxid, err);
        }
    }

    private void Watch(Connection connection, PathWatchRequest request, WatchKind kind, bool isSet)
    {
        if (isSet && request.Watch)
        {
            _watches.Add(connection.SessionId, request.Path, kind);
        }
    }

    private void TakeUpWatches(Connection connection, int xid, SetWatches2 request)
    {
        foreach (WatchEvent missed in CatchUp.Apply(Tree, _watches, connection.SessionId, request))
        {
            Tell(connection, missed);
        }
        connection.Reply(xid, Tree.LastZxid, ErrorCode.Ok);
    }

    private void AddWatch(Connection connection, int xid, AddWatchRequest request)
    {
        if (request.Mode is not (0 or 1))
        {
            throw new JuteFormatException($"a watch of mode {request.Mode}; there are 0, persistent, and 1, persistent and recursive");
        }
        _watches.Add(connection.SessionId, request.Path, request.Mode == 0 ? WatchKind.Persistent : WatchKind.Recursive);
        // An error number follows the header, as ZooKeeper's ErrorResponse has it.
        connection.Reply(xid, Tree.LastZxid, ErrorCode.Ok, 0, static (int err, ref JuteWriter w) => w.WriteInt(err));
    }

    private MultiResult ReadPart(Caller caller, MultiOp part)
    {
        var done = new MultiResult(part.Type, ErrorCode.Ok, "", default, null, []);
        if (part.Type == OpCode.GetData)
        {
            ErrorCode err = Tree.GetData(caller, part.Path, out GetDataResponse data);
            return err == ErrorCode.Ok ? done with { Data = data.Data, Stat = data.Stat } : MultiResult.Failed(err);
        }
        if (part.Type != OpCode.GetChildren)
        {
            throw new JuteFormatException($"a multiRead holds an operation of type {part.Type}; it can hold getData and getChildren");
        }
        ErrorCode listed = Tree.GetChildren(caller, part.Path, out GetChildren2Response children);
        return listed == ErrorCode.Ok ? done with { Children = children.Children } : MultiResult.Failed(listed);
    }
}
