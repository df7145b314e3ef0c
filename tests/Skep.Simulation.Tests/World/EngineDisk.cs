using Skep.Raft;
using Skep.Raft.Consensus;
using Skep.Raft.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Simulation;

/// <summary>
/// The product's own log over a disk of sectors: a crash comes at any write or sync, also while the log is being opened again, tears and
/// reorders sectors, and now and then turns a bit of what lay on the disk for good.
/// </summary>
/// <param name="flips">Whether bits turn here. On one member only: a majority that loses what it has promised can do nothing.</param>
/// <param name="liesAboutSync">The disk's syncs do nothing: a mistake that must be found.</param>
internal sealed class EngineDisk(Random random, bool flips, bool liesAboutSync) : INodeDisk
{
    public const ulong Group = 1;

    private readonly List<LogWrite> _waiting = [];
    private readonly int _segmentSizeBytes = 2048 << random.Next(4);
    private readonly Random _salts = new(random.Next());
    private SectorDisk _disk = new() { LiesAboutSync = liesAboutSync };
    private LogEngine? _engine;
    private LogSource? _entries;
    private SectorDisk? _whole;
    private (ulong Segment, long OffsetBytes) _sealed;

    public HardState HardState => Engine.Read(Group, static g => g.HardState);

    public SnapshotMeta? Snapshot { get; private set; }

    public NodeState? SnapshotState { get; private set; }

    public int Waiting => _waiting.Count;

    public int SyncUs { get; set; } = 200;

    public bool IsSyncing { get; set; }

    public int KeepEntries { get; set; } = 5;

    public string? WhyNotOpen { get; private set; }

    public ulong FirstIndex => Entries.FirstIndex;

    public ulong LastIndex => Entries.LastIndex;

    private LogEngine Engine => _engine ?? Open();

    private LogSource Entries => _entries ?? new LogSource(Engine, Group);

    private LogEngineOptions Options => TestKeys.Options(_segmentSizeBytes, (ulong)KeepEntries) with { FillSalt = _salts.NextBytes };

    public IReadOnlyList<LogRecord> ReadEntries(ulong from, ulong to, long maxSizeBytes) => Entries.ReadEntries(from, to, maxSizeBytes);

    public IReadOnlyList<LogRecord> ReadTerms(ulong from, ulong to, long maxSizeBytes) => Entries.ReadTerms(from, to, maxSizeBytes);

    // The engine holds what is on the disk: each of its calls ends with a sync.
    public bool Holds(ulong index, ulong term) =>
        (Snapshot is { } s && index <= s.Index) || Engine.Read(Group, g => g.TermAt(index)) == term;

    public void Begin(SnapshotMeta snapshot, NodeState state) => TakeSnapshot(snapshot, state);

    public void Arrived(SnapshotMeta snapshot, NodeState state)
    {
        if (snapshot.Index > (Snapshot?.Index ?? 0))
        {
            WriteSnapshot(snapshot, state);
        }
    }

    public void Write(LogWrite write) => _waiting.Add(write);

    public ulong Sync(int writes)
    {
        var last = _waiting[writes - 1].Sequence;
        Store(writes);
        return last;
    }

    public ulong TakeSnapshot(SnapshotMeta snapshot, NodeState state)
    {
        if (snapshot.Index > (Snapshot?.Index ?? 0))
        {
            WriteSnapshot(snapshot, state);
            Engine.NoteSnapshot(Group, snapshot.Index, snapshot.Term);
            ReadSnapshot();
        }

        return FirstIndex;
    }

    public void Crash(Random chance)
    {
        IsSyncing = false;
        if (WhyNotOpen is not null)
        {
            return;
        }

        if (_waiting.Count > 0 && chance.Next(2) == 0)
        {
            _disk.CrashIn = chance.Next(12);
            try
            {
                Store(_waiting.Count);
            }
            catch (LogFailedException e) when (e.InnerException is SimulatedCrashException)
            {
                // In the middle of it.
            }
        }

        _waiting.Clear();
        _disk = _disk.AfterPowerLoss(chance);
        _whole = null;
        if (flips && chance.Next(2) == 0)
        {
            _whole = _disk.Copy();
            Flip(chance);
        }

        Reopen(chance);
    }

    public void Mend() => WhyNotOpen = null;

    private void Reopen(Random chance)
    {
        while (true)
        {
            _disk.LiesAboutSync = liesAboutSync;
            _disk.CrashIn = chance.Next(4) == 0 ? chance.Next(12) : null;
            try
            {
                Open();
                _disk.CrashIn = null;
                return;
            }
            catch (Exception e) when (e is SimulatedCrashException or LogFailedException { InnerException: SimulatedCrashException })
            {
                _disk = _disk.AfterPowerLoss(chance);
            }
            catch (Exception e) when (e is LogCorruptException or WrongDataKeyException or LogVersionException && _whole is not null)
            {
                // What was promised is there for those who look, and for the member once people have mended its disk.
                WhyNotOpen = e.Message;
                _disk = _whole!;
                Open();
                return;
            }
        }
    }

    private LogEngine Open()
    {
        (_engine, _entries) = (null, null);
        _engine = LogEngine.Open(_disk, Options);
        _entries = new LogSource(_engine, Group);
        _sealed = default;
        ReadSnapshot();
        return _engine;
    }

    private void Store(int writes)
    {
        List<LogWrite> these = _waiting[..writes];
        foreach (var step in LogSteps.Of(Group, these))
        {
            var end = Engine.End;
            Engine.Store(step);
            _sealed = end;
        }

        _waiting.RemoveRange(0, writes);
        if (these.Any(w => w.Snapshot is not null))
        {
            ReadSnapshot();
        }
    }

    private void WriteSnapshot(SnapshotMeta snapshot, NodeState state)
    {
        _ = Engine;
        using var file = SnapshotWriter.Create(_disk, Options, Group, snapshot.Index, snapshot.Term, snapshot.ConfigurationIndex, snapshot.Configuration.Encode());
        file.Write(((RegisterState)state).ToBytes());
        file.Commit();
    }

    private void ReadSnapshot()
    {
        var index = Engine.Read(Group, static g => g.SnapshotIndex);
        if (index == 0)
        {
            return;
        }

        using var reader = SnapshotReader.Open(_disk, Options.Keys, Group, index);
        using var content = new MemoryStream();
        reader.CopyTo(content);
        Snapshot = new SnapshotMeta(index, reader.Term, reader.ConfigurationIndex, RaftConfiguration.Decode(reader.Configuration.Span));
        SnapshotState = RegisterState.FromBytes(content.ToArray());
    }

    /// <summary>
    /// Turns a bit of what something written later shows to have been synced. The last batch is spared: spoilt, it cannot be told from
    /// one that the crash has torn, by this log or any other.
    /// </summary>
    private void Flip(Random chance)
    {
        var names = _disk.List().Where(n => UsedBytes(n) > 0).ToList();
        if (names.Count == 0)
        {
            return;
        }

        var name = names[chance.Next(names.Count)];
        var at = chance.Next((int)UsedBytes(name));
        _disk.Spoil(name, bytes =>
        {
            bytes[at] ^= (byte)(1 << chance.Next(8));
            return bytes;
        });
    }

    private long UsedBytes(string name) =>
        FileNames.TryParseSnapshot(name, out _, out var index) ? index == Snapshot?.Index ? _disk.Content(name).Length : 0
        : !FileNames.TryParseSegment(name, out var sequence) ? 0
        : sequence < _sealed.Segment ? _disk.Content(name).Length
        : sequence == _sealed.Segment ? Math.Min(_sealed.OffsetBytes, _disk.Content(name).Length)
        : 0;
}
