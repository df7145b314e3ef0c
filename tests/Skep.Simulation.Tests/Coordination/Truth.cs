using System.Buffers.Binary;
using System.Text;
using Skep.Coordination.Replication;
using Skep.Coordination.Tree;
using Skep.Jute;
using Skep.Raft;
using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Simulation;

/// <summary>A node as it was from one zxid on.</summary>
internal readonly record struct Moment(long Zxid, bool IsThere, int Value, Stat Stat);

/// <summary>
/// What the group agreed on, write by write, as soon as the first member applies it: what any client is shown must be of this, at the
/// zxid that its answer names.
/// </summary>
internal sealed class Truth : IOutcomes
{
    private readonly Service _service;
    private readonly Replica _replica;
    private readonly Dictionary<string, List<Moment>> _nodes = [];
    private readonly Dictionary<string, List<long>> _children = [];
    private readonly Dictionary<(int Value, string Parent), long> _done = [];
    private readonly Dictionary<long, List<string>> _ephemerals = [];
    private readonly Dictionary<string, long> _owners = [];
    private readonly HashSet<int> _values = [];
    private readonly HashSet<int> _forbidden = [];
    private readonly HashSet<long> _ended = [];
    private readonly Dictionary<long, (int Epoch, long Us)> _takenUp = [];
    private readonly Dictionary<ulong, long> _left = [];
    private readonly List<Change> _changes = [];
    private ulong _index = 1;

    public Truth(Service service)
    {
        _service = service;
        _replica = new Replica(this);
        using Stream empty = TreeState.Empty.Open();
        _replica.Restore(empty);
    }

    public ZnodeTree Tree => _replica.Tree;

    public int Expired { get; private set; }

    /// <summary>Containers and nodes with a time to live.</summary>
    public PassingTruth Passing { get; } = new();

    /// <summary>The members, as the last of their changes that is committed has them.</summary>
    public RaftConfiguration Configuration { get; set; } = new([], [], []);

    /// <summary>The members as clients are told them.</summary>
    public string ToldMembers
    {
        get
        {
            Tree.GetData(Caller.Own, "/zookeeper/config", out GetDataResponse told);
            string text = Encoding.UTF8.GetString(told.Data.GetValueOrDefault().Span);
            return text[..Math.Max(0, text.IndexOf("\nversion=", StringComparison.Ordinal))];
        }
    }

    /// <summary>How often the members changed.</summary>
    public int Changes { get; private set; }

    public void Apply(in LogRecord entry)
    {
        if (entry.Index <= _index)
        {
            return;
        }
        if (entry.Index != ++_index)
        {
            throw new SimulationFailure("state machine safety", $"entry {entry.Index} is the first that anybody applies behind entry {_index - 1}");
        }
        if (entry.Type == RecordType.Configuration)
        {
            Changed(RaftConfiguration.Decode(entry.Payload.Span));
        }
        if (entry.Type == RecordType.Command)
        {
            foreach (ReadOnlyMemory<byte> single in Mistakes.Writes(entry.Payload))
            {
                ApplyWrite(Mistakes.Spoil(_service.Options.Mistake, Tree, single));
            }
        }
    }

    /// <summary>Since when a node that was a member is none any more; null where it is one, or never was.</summary>
    public long? LeftUs(ulong id) => _left.TryGetValue(id, out long us) ? us : null;

    public bool HasEnded(long sessionId) => _ended.Contains(sessionId);

    public bool IsDone(int value) => _values.Contains(value);

    /// <summary>The zxid of the write of a value; 0 where it is not done.</summary>
    public long ZxidOf(int value, string path) => _done.GetValueOrDefault((value, PlaceOf(path)));

    /// <summary>What was asked on a connection before another took the session up, and is not done by then, is never done.</summary>
    public void Forbid(int value) => _forbidden.Add(value);

    public Moment At(string path, long zxid) =>
        _nodes.TryGetValue(path, out List<Moment>? moments) ? moments.LastOrDefault(m => m.Zxid <= zxid) : default;

    /// <summary>The first change of a node, or of a list of children, after a zxid; <see cref="long.MaxValue"/> where there is none yet.</summary>
    public long NextChange(string path, bool ofChildren, long after)
    {
        if (ofChildren)
        {
            List<long>? all = _children.GetValueOrDefault(path);
            int at = all is null ? 0 : all.FindIndex(z => z > after);
            return all is null || at < 0 ? long.MaxValue : all[at];
        }
        List<Moment>? moments = _nodes.GetValueOrDefault(path);
        int next = moments is null ? 0 : moments.FindIndex(m => m.Zxid > after);
        return moments is null || next < 0 ? long.MaxValue : moments[next].Zxid;
    }

    void IOutcomes.Attached(long token, long sessionId, Session? session)
    {
        if (session is not null && _takenUp.GetValueOrDefault(sessionId).Epoch != session.Epoch)
        {
            _takenUp[sessionId] = (session.Epoch, _service.World.NowUs);
        }
    }

    void IOutcomes.Answered(long sessionId, int epoch, long number, in Answer answer)
    {
    }

    void IOutcomes.Ended(long sessionId, IReadOnlyList<Change> changes) => _ended.Add(sessionId);

    void IOutcomes.Changed(Change change) => _changes.Add(change);

    void IOutcomes.WentOver(in Skep.Coordination.Tree.OverQuota over)
    {
    }

    private void Changed(RaftConfiguration now)
    {
        foreach (ulong id in Configuration.MemberIds().Except(now.MemberIds()))
        {
            _left[id] = _service.World.NowUs;
        }
        foreach (ulong id in now.MemberIds())
        {
            _left.Remove(id);
        }
        Configuration = now;
        Changes += now.IsJoint() ? 0 : 1;
    }

    private static string ParentOf(string path) => path.LastIndexOf('/') is > 0 and int slash ? path[..slash] : "/";

    // Names of sequential nodes are not known to those who ask for them.
    private static string PlaceOf(string path) => path.StartsWith("/q/", StringComparison.Ordinal) ? "/q" : path;

    private void ApplyWrite(ReadOnlyMemory<byte> command)
    {
        var reader = new JuteReader(command[(Write.HeadSizeBytes + 4)..]);
        var kind = (WriteKind)reader.ReadInt();
        long expiring = kind == WriteKind.Expire ? reader.ReadLong() : 0;
        Session? session = Tree.Sessions.GetValueOrDefault(expiring);
        _replica.Apply(command);
        if (session is not null && !Tree.Sessions.ContainsKey(expiring))
        {
            Expired++;
            long livedMs = (_service.World.NowUs - _takenUp[expiring].Us) / 1000;
            if (livedMs < session.TimeoutMs * (1 - Service.Drift))
            {
                throw new SimulationFailure("expiry", $"session {expiring:x} expires {livedMs} ms after a connection took it up; its time-out is {session.TimeoutMs} ms");
            }
            _service.World.Say(() => $"session {expiring:x} expires at zxid {Tree.LastZxid}");
            _service.Expired(expiring, session);
        }
        Record(Write.ReadHead(command.Span).GetValueOrDefault());
    }

    private void Record(long timeMs)
    {
        long zxid = Tree.LastZxid;
        foreach (Change change in _changes)
        {
            Passing.Changed(change, timeMs, zxid);
            bool isThere = Tree.GetData(Caller.Own, change.Path, out GetDataResponse data) == ErrorCode.Ok;
            int value = data.Data is { Length: 4 } bytes ? BinaryPrimitives.ReadInt32BigEndian(bytes.Span) : 0;
            List<Moment> moments = Of(_nodes, change.Path);
            if (moments.Count > 0 && moments[^1].Zxid == zxid)
            {
                moments.RemoveAt(moments.Count - 1);
            }
            moments.Add(new Moment(zxid, isThere, value, data.Stat));
            if (change.Kind != ChangeKind.DataChanged)
            {
                Of(_children, ParentOf(change.Path)).Add(zxid);
            }
            if (change.Kind == ChangeKind.Deleted)
            {
                Gone(change.Path);
            }
            else if (isThere)
            {
                Done(change, value, data.Stat, zxid);
            }
        }
        _changes.Clear();
    }

    private void Done(Change change, int value, Stat stat, long zxid)
    {
        if (value != 0 && !_done.TryAdd((value, PlaceOf(change.Path)), zxid))
        {
            throw new SimulationFailure("at most once", $"the write of {value} to {change.Path} was done at zxid {ZxidOf(value, change.Path)} and again at {zxid}");
        }
        _values.Add(value);
        if (_forbidden.Contains(value))
        {
            throw new SimulationFailure("epochs", $"the write of {value} to {change.Path} is done at zxid {zxid}, after another connection had taken its session up");
        }
        if (change.Kind == ChangeKind.Created && stat.EphemeralOwner != 0)
        {
            Of(_ephemerals, stat.EphemeralOwner).Add(change.Path);
            _owners[change.Path] = stat.EphemeralOwner;
            if (!Tree.Sessions.ContainsKey(stat.EphemeralOwner))
            {
                throw new SimulationFailure("ephemerals", $"{change.Path} belongs to session {stat.EphemeralOwner:x}, which is over");
            }
        }
    }

    // No client deletes an ephemeral here: only the end of its session does.
    private void Gone(string path)
    {
        if (_owners.Remove(path, out long owner))
        {
            if (Tree.Sessions.ContainsKey(owner))
            {
                throw new SimulationFailure("ephemerals", $"{path} is gone at zxid {Tree.LastZxid} while its session {owner:x} lives");
            }
            if (_ephemerals[owner].Find(p => Tree.Exists(p, out _) == ErrorCode.Ok) is { } left)
            {
                throw new SimulationFailure("ephemerals", $"{left} outlives its session {owner:x}");
            }
        }
    }

    private static List<T> Of<TKey, T>(Dictionary<TKey, List<T>> all, TKey key) where TKey : notnull
    {
        if (!all.TryGetValue(key, out List<T>? found))
        {
            all[key] = found = [];
        }
        return found;
    }
}
