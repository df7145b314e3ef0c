using Skep.Raft.Log;

namespace Skep.Raft.Tests.Simulation;

/// <summary>
/// Drives a log over a simulated disk through random work and faults; one seed fixes everything. After each crash the
/// log must hold all that was acknowledged, and of the call under way at most a beginning.
/// </summary>
internal sealed class LogStorm(int seed, SectorDisk.FaultKinds faults)
{
    private const ulong Keep = 3;

    private readonly Random _random = new(seed);
    private readonly NonceWitness _witness = new();
    private LogModel _model = new();
    private SectorDisk _disk = null!;
    private LogEngine _engine = null!;
    private List<LogModel> _candidates = [];

    public int Crashes { get; private set; }

    public void Run(int steps)
    {
        _disk = new SectorDisk(_witness);
        _candidates = [_model];
        Reopen();
        for (var i = 0; i < steps; i++)
        {
            var crashes = _random.Next(8) == 0;
            _disk.CrashIn = crashes ? _random.Next(8) : null;
            _disk.FailNextSync = faults.HasFlag(SectorDisk.FaultKinds.FailedSync) && _random.Next(25) == 0;
            _disk.IsFull = faults.HasFlag(SectorDisk.FaultKinds.Full) && _random.Next(10) == 0;
            _disk.IsFullWithinFiles = _disk.IsFull && _random.Next(2) == 0;
            try
            {
                Step();
                Assert.Null(_model.Compare(_engine, Keep));
            }
            catch (LogFullException)
            {
                _candidates = [_model];
                Assert.Null(_model.Compare(_engine, Keep));
            }
            catch (Exception e) when (e is LogFailedException or SimulatedCrashException or DiskException { Errno: 5 })
            {
                Assert.True(e is not LogFailedException || Assert.Throws<LogFailedException>(() => _engine.Append([LogRecord.NoOp(1, 1, 1)])) is not null);
                Reopen();
            }
        }

        _disk.CrashIn = null;
        _disk.IsFull = _disk.IsFullWithinFiles = _disk.FailNextSync = false;
        _engine.Dispose();
        _candidates = [_model];
        Reopen();
    }

    private void Step()
    {
        var group = (ulong)_random.Next(1, 4);
        var state = _model[group];
        switch (_random.Next(10))
        {
            case 0 when state.LastIndex > state.SnapshotIndex:
                var from = state.SnapshotIndex + 1 + (ulong)_random.Next((int)(state.LastIndex - state.SnapshotIndex));
                Attempt([LogRecord.Truncate(group, from)], () => _engine.Truncate(group, from));
                break;
            case 1 when state.LastIndex > state.SnapshotIndex:
                Snapshot(group, state.SnapshotIndex + 1 + (ulong)_random.Next((int)(state.LastIndex - state.SnapshotIndex)));
                break;
            case 2:
                var hard = new HardState(state.HardState.Term + 1, (ulong)_random.Next(1, 4), state.SnapshotIndex).ToRecord(group);
                Attempt([hard], () => _engine.Append([hard]));
                break;
            case 3:
                // A restart in good order.
                _engine.Dispose();
                _candidates = [_model];
                Reopen();
                break;
            default:
                var records = Entries();
                Attempt(records, () => _engine.Append(records));
                break;
        }
    }

    private List<LogRecord> Entries()
    {
        var next = new Dictionary<ulong, ulong>();
        var records = new List<LogRecord>();
        for (var i = _random.Next(1, 8); i > 0; i--)
        {
            var group = (ulong)_random.Next(1, 4);
            var index = next[group] = next.GetValueOrDefault(group, _model[group].LastIndex) + 1;
            var payload = new byte[_random.Next(6) == 0 ? _random.Next(6000) : _random.Next(300)];
            _random.NextBytes(payload);
            records.Add(LogRecord.Command(group, index, _model[group].HardState.Term, payload));
        }

        return records;
    }

    private void Snapshot(ulong group, ulong index)
    {
        var term = _model[group].Entries[index].Term;
        try
        {
            using var file = SnapshotWriter.Create(_disk, TestKeys.Options(), group, index, term, 0, default);
            file.Write(SnapshotContent(group, index));
            file.Commit();
        }
        catch (DiskException e) when (e.IsFull)
        {
            return;
        }
        catch
        {
            // The file may have got its name: then the next start takes it.
            _candidates = [_model, With(_model, LogRecord.SnapshotMarker(group, index, term))];
            throw;
        }

        var marker = LogRecord.SnapshotMarker(group, index, term);
        _candidates = [_model, With(_model, marker)];
        try
        {
            _engine.NoteSnapshot(group, index, term);
        }
        catch (LogFullException)
        {
            // Without its marker the snapshot is unknown now and taken at the next start; the log is not harmed.
            _disk.Delete(FileNames.Snapshot(group, index));
            return;
        }

        _model = _candidates[^1];
    }

    private byte[] SnapshotContent(ulong group, ulong index)
    {
        var content = new byte[2000 + (index * 7)];
        new Random((int)((group * 1000) + index)).NextBytes(content);
        return content;
    }

    private void Attempt(IReadOnlyList<LogRecord> records, Action write)
    {
        _candidates = [_model];
        foreach (var record in records)
        {
            _candidates.Add(With(_candidates[^1], record));
        }

        write();
        _model = _candidates[^1];
        _candidates = [_model];
    }

    private static LogModel With(LogModel model, LogRecord record)
    {
        var copy = model.Copy();
        copy.Take(record);
        return copy;
    }

    /// <summary>Kill or power loss, any number of times, also while opening.</summary>
    private void Reopen()
    {
        while (true)
        {
            Crashes++;
            _disk = _random.Next(2) == 0 ? _disk.AfterPowerLoss(_random) : _disk;
            _disk.IsFull = _disk.IsFullWithinFiles = _disk.FailNextSync = false;
            _disk.CrashIn = _random.Next(4) == 0 ? _random.Next(12) : null;
            try
            {
                _engine = LogEngine.Open(_disk, TestKeys.Options(keepEntries: Keep));
                _disk.CrashIn = null;
                break;
            }
            catch (Exception e) when (e is SimulatedCrashException or LogFailedException { InnerException: SimulatedCrashException })
            {
            }
        }

        var differences = _candidates.Select(c => c.Compare(_engine, Keep)).ToList();
        var found = differences.IndexOf(null);
        Assert.True(found >= 0, $"seed {seed}: the log holds nothing that may be: {string.Join("; ", differences)}");
        _model = _candidates[found];
        foreach (var (id, group) in _model.Groups.Where(g => g.Value.SnapshotIndex > 0))
        {
            using var reader = SnapshotReader.Open(_disk, TestKeys.Options().Keys, id, group.SnapshotIndex);
            using var content = new MemoryStream();
            reader.CopyTo(content);
            Assert.Equal(SnapshotContent(id, group.SnapshotIndex), content.ToArray());
        }
    }
}
