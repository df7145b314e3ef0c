using Skep.Coordination.Access;
using Skep.Coordination.Snapshots;
using Skep.Jute;

namespace Skep.Coordination.Tree;

internal sealed partial class ZnodeTree
{
    /// <summary>The tree as it is now. Costs a list of its pages; each page is copied once when it is next written to.</summary>
    public TreeSnapshot Capture() => new(LastZxid, _nodes.End, _nodes.Capture(), _acls.ToArray(),
        [.. _sessions.Select(s => SessionRecord.Of(s.Key, s.Value))]);

    /// <summary>Puts a tree together from a snapshot's records: zxid first, then ACLs, sessions and nodes.</summary>
    internal sealed class Loader
    {
        private readonly ZnodeTree _tree = new();
        private readonly Dictionary<int, Acl[]> _acls = [];
        private (int Written, int Here) _lastAcl = (-1, 0);
        private int _end;

        public void Begin(long zxid, int end)
        {
            _tree.LastZxid = zxid;
            _end = end;
        }

        public void Add(int id, Acl[] acl) => _acls[id] = acl;

        public void Add(SessionRecord session) => _tree._sessions.Add(session.Id, session.ToSession());

        public void Add(int id, Node node)
        {
            // Room is made as nodes come, so that a damaged end does not take all memory.
            if (id <= 0 || id >= _end)
            {
                throw new ArgumentException($"node {id} lies outside of 1 to {_end - 1}");
            }
            _tree._nodes.Restore(Math.Max(id + 1, _tree._nodes.End));
            node.AclId = Acl(node.AclId);
            _tree._nodes.Write(id) = node;
        }

        // Most nodes have the ACL of the one before.
        private int Acl(int written)
        {
            if (written == _lastAcl.Written)
            {
                _tree._acls.Use(_lastAcl.Here, 1);
            }
            else
            {
                _lastAcl = (written, _tree._acls.Add(_acls[written]));
            }
            return _lastAcl.Here;
        }

        public ZnodeTree Finish()
        {
            NodePages nodes = _tree._nodes;
            if (nodes.End <= Root || nodes[Root].Blob is null)
            {
                throw new ArgumentException("the root is not there");
            }
            _tree._index.Reserve(nodes.End);
            _tree.Count = 1;
            for (int id = Root + 1; id < nodes.End; id++)
            {
                if (nodes[id].Blob is null)
                {
                    continue;
                }
                if (nodes[id].Parent <= 0 || nodes[id].Parent >= nodes.End || nodes[nodes[id].Parent].Blob is null)
                {
                    throw new ArgumentException($"node {id} has the parent {nodes[id].Parent}, which is not there");
                }
                _tree.Link(id);
            }
            nodes.CollectFree();
            _tree.CollectQuotas();
            return _tree;
        }
    }
}
