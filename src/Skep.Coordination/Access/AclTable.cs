using Skep.Jute;

namespace Skep.Coordination.Access;

/// <summary>Each different ACL kept once, counted by the znodes that have it: a million znodes share one number.</summary>
internal sealed class AclTable
{
    private readonly Dictionary<string, int> _ids = [];
    private readonly List<(string Key, Acl[] Acl, int Uses)> _entries = [];
    private readonly Stack<int> _free = [];

    // The last one that was added: most znodes have the ACL of the one before.
    private (Acl[] Acl, int Id) _last = ([], -1);

    public Acl[] this[int id] => _entries[id].Acl;

    /// <summary>The number of an ACL, with one use added.</summary>
    public int Add(Acl[] acl)
    {
        if (_last.Id >= 0 && _last.Acl.AsSpan().SequenceEqual(acl))
        {
            Use(_last.Id, 1);
            return _last.Id;
        }
        string key = string.Concat(acl.Select(a => $"{a.Perms}:{a.Id.Scheme.Length}:{a.Id.Scheme}:{a.Id.Name.Length}:{a.Id.Name};"));
        if (!_ids.TryGetValue(key, out int id))
        {
            if (!_free.TryPop(out id))
            {
                id = _entries.Count;
                _entries.Add(default);
            }
            _entries[id] = (key, acl, 0);
            _ids[key] = id;
        }
        _last = (_entries[id].Acl, id);
        Use(id, 1);
        return id;
    }

    /// <summary>Adds uses, or takes them away; what nobody uses is forgotten.</summary>
    public void Use(int id, int by)
    {
        (string key, Acl[] acl, int uses) = _entries[id];
        _entries[id] = (key, acl, uses + by);
        if (uses + by == 0)
        {
            _ids.Remove(key);
            _last = _last.Id == id ? ([], -1) : _last;
            _entries[id] = default;
            _free.Push(id);
        }
    }

    /// <summary>All ACLs by their number; null where a number is free.</summary>
    public Acl[]?[] ToArray() => [.. _entries.Select(e => e.Acl)];
}
