using Skep.Jute;

namespace Skep.Simulation;

/// <summary>What a client watches, and what it must have been told by when.</summary>
internal sealed class Watches(Truth truth)
{
    private const int Deleted = 2;
    private const int ChildrenChanged = 4;
    private readonly List<Armed> _armed = [];

    public int Count => _armed.Count;

    public int Events { get; private set; }

    public void Clear() => _armed.Clear();

    /// <summary>A read left a watch behind: of a node's data, of a node that is not there, or of its children.</summary>
    public void Add(string path, bool ofChildren, bool isThere, long zxid)
    {
        // A second one at the same place fires with the first.
        if (!_armed.Exists(a => a.Path == path && a.OfChildren == ofChildren))
        {
            _armed.Add(new Armed(path, ofChildren, isThere) { SinceZxid = zxid });
        }
    }

    /// <summary>An answer shows the tree at a zxid: all that happened up to there must have been told.</summary>
    public void Shown(int client, long zxid)
    {
        foreach (Armed armed in _armed)
        {
            if (!armed.IsRenewing && truth.NextChange(armed.Path, armed.OfChildren, armed.SinceZxid) is var change && change <= zxid)
            {
                throw new SimulationFailure("watches", $"client {client} is shown zxid {zxid} before the event of {armed.Path} at {change}, which it watches since {armed.SinceZxid}");
            }
        }
    }

    public void Fired(int client, WatcherEvent happened)
    {
        Events++;
        List<Armed> fired = _armed.FindAll(a => a.Path == happened.Path && (happened.Type == Deleted || a.OfChildren == (happened.Type == ChildrenChanged)));
        if (fired.Count == 0)
        {
            throw new SimulationFailure("watches", $"client {client} is told {happened.Type} of {happened.Path}, which it does not watch");
        }
        foreach (Armed armed in fired)
        {
            if (truth.NextChange(armed.Path, armed.OfChildren, armed.SinceZxid) == long.MaxValue && !(armed.OfChildren && happened.Type == Deleted))
            {
                throw new SimulationFailure("watches", $"client {client} is told {happened.Type} of {happened.Path}, and nothing happened there since zxid {armed.SinceZxid}");
            }
            _armed.Remove(armed);
        }
    }

    /// <summary>What another connection has to set again; null for nothing.</summary>
    public SetWatches2? Renew(long zxid)
    {
        if (_armed.Count == 0)
        {
            return null;
        }
        _armed.ForEach(static a => a.IsRenewing = true);
        return new SetWatches2(zxid, Paths(a => !a.OfChildren && a.IsThere), Paths(a => !a.OfChildren && !a.IsThere), Paths(a => a.OfChildren), [], []);

        string[] Paths(Predicate<Armed> which) => [.. _armed.FindAll(which).Select(a => a.Path)];
    }

    /// <summary>They are set again: what is left had not changed.</summary>
    public void Renewed(int client, long zxid)
    {
        foreach (Armed armed in _armed.Where(a => a.IsRenewing))
        {
            // Of a node that came and went meanwhile nobody knows.
            bool missed = armed.IsThere || armed.OfChildren
                ? truth.NextChange(armed.Path, armed.OfChildren, armed.SinceZxid) <= zxid
                : truth.At(armed.Path, zxid).IsThere;
            if (missed)
            {
                throw new SimulationFailure("watches", $"client {client} is not told what happened to {armed.Path} between zxid {armed.SinceZxid} and {zxid}, where it lost its connection");
            }
            (armed.IsRenewing, armed.SinceZxid) = (false, zxid);
        }
    }

    private sealed class Armed(string path, bool ofChildren, bool isThere)
    {
        public string Path => path;

        public bool OfChildren => ofChildren;

        /// <summary>Whether the node was there when it was set.</summary>
        public bool IsThere => isThere;

        public long SinceZxid { get; set; }

        /// <summary>Whether it was asked for on a new connection and that is not answered yet.</summary>
        public bool IsRenewing { get; set; }
    }
}
