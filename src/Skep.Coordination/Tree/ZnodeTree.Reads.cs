using System.Text;
using Skep.Coordination.Access;
using Skep.Jute;

namespace Skep.Coordination.Tree;

internal sealed partial class ZnodeTree
{
    /// <summary>exists needs no permission, as in ZooKeeper.</summary>
    public ErrorCode Exists(string path, out Stat stat)
    {
        stat = default;
        if (path.Contains('\0'))
        {
            return ErrorCode.BadArguments;
        }
        int id = Find(path);
        stat = id == 0 ? default : StatOf(id);
        return id == 0 ? ErrorCode.NoNode : ErrorCode.Ok;
    }

    public ErrorCode GetData(Caller caller, string path, out GetDataResponse answer)
    {
        ErrorCode err = Look(caller, path, Permissions.Read, out int id);
        answer = err == ErrorCode.Ok ? new GetDataResponse(_nodes[id].Data, StatOf(id)) : default;
        return err;
    }

    public ErrorCode GetChildren(Caller caller, string path, out GetChildren2Response answer)
    {
        answer = new GetChildren2Response([], default);
        ErrorCode err = Look(caller, path, Permissions.Read, out int id);
        if (err != ErrorCode.Ok)
        {
            return err;
        }
        var children = new string[_nodes[id].ChildCount];
        int at = 0;
        for (int child = _nodes[id].FirstChild; child != 0; child = _nodes[child].Next)
        {
            children[at++] = Encoding.UTF8.GetString(_nodes[child].Name.Span);
        }
        answer = new GetChildren2Response(children, StatOf(id));
        return err;
    }

    public ErrorCode GetAcl(Caller caller, string path, out GetAclResponse answer)
    {
        answer = new GetAclResponse([], default);
        ErrorCode err = Look(caller, path, Permissions.Read | Permissions.Admin, out int id);
        if (err == ErrorCode.Ok)
        {
            Acl[] acl = _acls[_nodes[id].AclId];
            bool whole = AccessRules.Allows(acl, Permissions.Admin, caller.Identities);
            answer = new GetAclResponse(whole ? acl : AccessRules.Redacted(acl), StatOf(id));
        }
        return err;
    }

    /// <summary>All nodes below the path, counted.</summary>
    public ErrorCode CountBelow(Caller caller, string path, out int count)
    {
        count = 0;
        ErrorCode err = Look(caller, path, Permissions.Read, out int id);
        if (err == ErrorCode.Ok)
        {
            // Under the empty path ZooKeeper counts the root as well.
            count = id == Root ? Count - path.Length : Below(id);
        }
        return err;
    }

    /// <summary>The session's ephemerals whose paths start so.</summary>
    public IReadOnlyList<string> Ephemerals(long sessionId, string prefix) => _sessions.TryGetValue(sessionId, out Session? session)
        ? [.. session.Ephemerals.Select(PathOf).Where(p => p.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)]
        : [];

    private ErrorCode Look(Caller caller, string path, Permissions wanted, out int id)
    {
        id = Find(path);
        return id == 0 ? ErrorCode.NoNode
            : AccessRules.Allows(_acls[_nodes[id].AclId], wanted, caller.Identities) ? ErrorCode.Ok : ErrorCode.NoAuth;
    }

    private int Below(int id)
    {
        int count = 0;
        var todo = new Stack<int>([id]);
        while (todo.TryPop(out int at))
        {
            for (int child = _nodes[at].FirstChild; child != 0; child = _nodes[child].Next)
            {
                count++;
                todo.Push(child);
            }
        }
        return count;
    }
}
