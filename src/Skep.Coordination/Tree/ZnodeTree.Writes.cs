using System.Globalization;
using Skep.Coordination.Access;
using Skep.Jute;

namespace Skep.Coordination.Tree;

/// <summary>Writes, checked in the order in which ZooKeeper checks them, so that the same error comes first.</summary>
internal sealed partial class ZnodeTree
{
    /// <summary>Applies one write: create and its kin, delete, deleteContainer, setData, setACL, check.</summary>
    public MultiResult Apply(Caller caller, MultiOp op, long zxid, long timeMs)
    {
        Begin(zxid);
        ErrorCode err = Step(caller, op, zxid, timeMs, out MultiResult result);
        return err == ErrorCode.Ok ? result : MultiResult.Failed(err);
    }

    /// <summary>
    /// Applies all or nothing. Where one is not possible, those before it answer Ok without having been done, it answers its own
    /// error, and those behind it RuntimeInconsistency.
    /// </summary>
    public MultiResponse ApplyAll(Caller caller, IReadOnlyList<MultiOp> ops, long zxid, long timeMs)
    {
        Begin(zxid);
        _undo = new Stack<Action>();
        var results = new MultiResult[ops.Count];
        for (int i = 0; i < ops.Count; i++)
        {
            ErrorCode err = Step(caller, AsPart(ops[i]), zxid, timeMs, out results[i]);
            if (err != ErrorCode.Ok)
            {
                while (_undo.TryPop(out Action? undo))
                {
                    undo();
                }
                _changes.Clear();
                _overQuotas.RemoveAll(static over => !over.IsRefused);
                for (int j = 0; j < results.Length; j++)
                {
                    results[j] = MultiResult.Failed(j < i ? ErrorCode.Ok : j == i ? err : ErrorCode.RuntimeInconsistency);
                }
                break;
            }
            if (results[i].Type is OpCode.CreateContainer or OpCode.CreateTtl)
            {
                // In a multi's answers every create that answers with a Stat is called create2.
                results[i] = results[i] with { Type = OpCode.Create2 };
            }
        }
        _undo = null;
        return new MultiResponse(results);
    }

    // In a multi ZooKeeper goes by the flags: create2 is answered as create, and a container is one whatever the operation was called.
    private static MultiOp AsPart(MultiOp op) => op.Type is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer
        ? op with { Type = op.Flags == 4 ? OpCode.CreateContainer : OpCode.Create }
        : op;

    private void Begin(long zxid)
    {
        LastZxid = zxid;
        _changes.Clear();
        _overQuotas.Clear();
    }

    private ErrorCode Step(Caller caller, MultiOp op, long zxid, long timeMs, out MultiResult result)
    {
        result = new MultiResult(op.Type, ErrorCode.Ok, "", default, null, []);
        if (caller.SessionId != Caller.OwnId && !_sessions.ContainsKey(caller.SessionId))
        {
            return ErrorCode.SessionExpired;
        }
        switch (op.Type)
        {
            case OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                return Create(caller, op, zxid, timeMs, ref result);
            case OpCode.Delete or OpCode.DeleteContainer:
                return Delete(caller, op, zxid);
            case OpCode.SetData or OpCode.SetAcl or OpCode.Check:
                return Alter(caller, op, zxid, timeMs, ref result);
            default:
                return ErrorCode.Unimplemented;
        }
    }

    private ErrorCode Create(Caller caller, MultiOp op, long zxid, long timeMs, ref MultiResult result)
    {
        bool asksTtl = op.Flags is 5 or 6;
        bool ttlFits = asksTtl && op.TtlMs is > 0 and <= Node.MaxTtlMs;
        if (op.Flags is < 0 or > 6 || (op.Type == OpCode.CreateTtl ? !ttlFits : asksTtl) || ZnodePath.Parent(op.Path) is not string parentPath)
        {
            return ErrorCode.BadArguments;
        }
        if (AccessRules.Resolve(op.Acl, caller.Identities) is not Acl[] acl)
        {
            return ErrorCode.InvalidAcl;
        }
        int parent = Find(parentPath);
        if (parent == 0)
        {
            return ErrorCode.NoNode;
        }
        if (!AccessRules.Allows(_acls[_nodes[parent].AclId], Permissions.Create, caller.Identities))
        {
            return ErrorCode.NoAuth;
        }
        bool sequential = op.Flags is 2 or 3 or 6;
        string path = sequential ? op.Path + _nodes[parent].Creations.ToString("D10", CultureInfo.InvariantCulture) : op.Path;
        if (!ZnodePath.IsValid(path))
        {
            return ErrorCode.BadArguments;
        }
        if (Find(path) != 0)
        {
            return ErrorCode.NodeExists;
        }
        if (_nodes[parent].IsEphemeral)
        {
            return ErrorCode.NoChildrenForEphemerals;
        }
        int bytes = op.Data?.Length ?? 0;
        if (CheckQuota(caller, path, bytes, 1) is not ErrorCode.Ok and ErrorCode over)
        {
            return over;
        }
        long owner = op.Type == OpCode.CreateContainer ? Node.Container
            : op.Type == OpCode.CreateTtl ? Node.TtlMask | op.TtlMs
            : op.Flags is 1 or 3 ? caller.SessionId : 0;
        long pzxid = _nodes[parent].Pzxid;
        int id = Insert(parent, path[(path.LastIndexOf('/') + 1)..], op.Data, acl, owner, zxid, timeMs);
        _undo?.Push(() =>
        {
            _acls.Use(_nodes[id].AclId, -1);
            Unlink(id);
            ref Node above = ref _nodes.Write(parent);
            above.Creations = unchecked(above.Creations - 1);
            above.Pzxid = pzxid;
        });
        _changes.Add(new Change(ChangeKind.Created, path, acl, _acls[_nodes[parent].AclId]));
        result = result with { Path = path, Stat = StatOf(id) };
        Account(path, bytes, 1);
        return ErrorCode.Ok;
    }

    private ErrorCode Delete(Caller caller, MultiOp op, long zxid)
    {
        if (ZnodePath.IsKept(op.Path) || ZnodePath.Parent(op.Path) is not string parentPath)
        {
            return ErrorCode.BadArguments;
        }
        bool container = op.Type == OpCode.DeleteContainer;
        int parent = Find(parentPath);
        if (parent == 0)
        {
            return ErrorCode.NoNode;
        }
        if (!container && !AccessRules.Allows(_acls[_nodes[parent].AclId], Permissions.Delete, caller.Identities))
        {
            return ErrorCode.NoAuth;
        }
        int id = Find(op.Path);
        if (id == 0)
        {
            return ErrorCode.NoNode;
        }
        if (!container && op.Version != -1 && op.Version != _nodes[id].Version)
        {
            return ErrorCode.BadVersion;
        }
        if (_nodes[id].ChildCount > 0)
        {
            return ErrorCode.NotEmpty;
        }
        if (container && (_nodes[id].Owner == 0 || _nodes[id].IsEphemeral))
        {
            return ErrorCode.BadVersion;
        }
        Remove(id, op.Path, zxid);
        return ErrorCode.Ok;
    }

    private ErrorCode Alter(Caller caller, MultiOp op, long zxid, long timeMs, ref MultiResult result)
    {
        if (!ZnodePath.IsValid(op.Path))
        {
            return ErrorCode.BadArguments;
        }
        Acl[]? acl = op.Type == OpCode.SetAcl ? AccessRules.Resolve(op.Acl, caller.Identities) : [];
        if (acl is null)
        {
            return ErrorCode.InvalidAcl;
        }
        Permissions wanted = op.Type == OpCode.SetAcl ? Permissions.Admin : op.Type == OpCode.SetData ? Permissions.Write : Permissions.Read;
        ErrorCode err = Look(caller, op.Path, wanted, out int id);
        if (err != ErrorCode.Ok)
        {
            return err;
        }
        Node before = _nodes[id];
        int moreBytes = (op.Data?.Length ?? 0) - (before.Data?.Length ?? 0);
        if (op.Type == OpCode.SetData && CheckQuota(caller, op.Path, moreBytes, 0) is not ErrorCode.Ok and ErrorCode over)
        {
            return over;
        }
        if (op.Version != -1 && op.Version != (op.Type == OpCode.SetAcl ? before.Aversion : before.Version))
        {
            return ErrorCode.BadVersion;
        }
        if (op.Type == OpCode.Check)
        {
            return ErrorCode.Ok;
        }
        ref Node node = ref _nodes.Write(id);
        if (op.Type == OpCode.SetData)
        {
            node.SetBlob(before.Name.Span, op.Data);
            int grownBy = node.Blob!.Length - before.Blob!.Length;
            SizeBytes += grownBy;
            node.Version = Following(before.Version);
            node.Mzxid = zxid;
            node.MtimeMs = timeMs;
            _undo?.Push(() =>
            {
                ref Node back = ref _nodes.Write(id);
                SizeBytes -= grownBy;
                (back.Blob, back.NameLength, back.Version, back.Mzxid, back.MtimeMs) =
                    (before.Blob, before.NameLength, before.Version, before.Mzxid, before.MtimeMs);
            });
            _changes.Add(new Change(ChangeKind.DataChanged, op.Path, _acls[before.AclId]));
        }
        else
        {
            int added = _acls.Add(acl);
            _acls.Use(before.AclId, -1);
            node.AclId = added;
            node.Aversion = Following(before.Aversion);
        }
        result = result with { Stat = StatOf(id) };
        if (op.Type == OpCode.SetData && moreBytes != 0)
        {
            Account(op.Path, moreBytes, 0);
        }
        return ErrorCode.Ok;
    }

    // -1 is "any version" in a request, so that no node ever has it.
    private static int Following(int version) => unchecked(version + 1) is var next && next == -1 ? 0 : next;

    private void Remove(int id, string path, long zxid)
    {
        Node gone = _nodes[id];
        Acl[] acl = _acls[gone.AclId];
        long pzxid = _nodes[gone.Parent].Pzxid;
        _acls.Use(gone.AclId, -1);
        Unlink(id);
        ref Node above = ref _nodes.Write(gone.Parent);
        above.Pzxid = Math.Max(pzxid, zxid);
        _undo?.Push(() =>
        {
            // The number just freed is the first that is given out again, so that what is undone before this finds it.
            int again = _nodes.Allocate();
            gone.AclId = _acls.Add(acl);
            _nodes.Write(again) = gone;
            Link(again);
            _nodes.Write(gone.Parent).Pzxid = pzxid;
        });
        _changes.Add(new Change(ChangeKind.Deleted, path, acl, _acls[_nodes[gone.Parent].AclId]));
        Account(path, -(gone.Data?.Length ?? 0), -1);
    }
}
