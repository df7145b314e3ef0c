using Skep.Raft.Log;

namespace Skep.Raft.Tests.Simulation;

/// <summary>The process died in the middle of a call.</summary>
public sealed class SimulatedCrashException() : Exception("simulated crash");

/// <summary>
/// A folder on a disk that keeps what was synced, and of the rest what chance decides: single sectors in any order,
/// torn ones, and a prefix of the folder's changes (as a journal would).
/// </summary>
internal sealed class SectorDisk : IDisk
{
    public const int SectorSizeBytes = 512;

    /// <summary>What may go wrong besides crashes.</summary>
    [Flags]
    public enum FaultKinds
    {
        None = 0,
        Full = 1,
        FailedSync = 2,
    }

    private readonly Dictionary<string, Inode> _names = [];
    private readonly Dictionary<string, Inode> _durableNames;
    private readonly List<Action<Dictionary<string, Inode>>> _pending = [];
    private readonly NonceWitness _witness;

    public SectorDisk(NonceWitness? witness = null)
        : this([], witness ?? new NonceWitness())
    {
    }

    private SectorDisk(Dictionary<string, Inode> names, NonceWitness witness)
    {
        _durableNames = names;
        _names = new Dictionary<string, Inode>(names);
        _witness = witness;
    }

    public string Folder => "/simulated";

    /// <summary>Counts down with every write, sync, rename, delete; at zero the process dies within that call.</summary>
    public int? CrashIn { get; set; }

    /// <summary>Making a file fails with "no space".</summary>
    public bool IsFull { get; set; }

    /// <summary>Also writing into a preallocated file fails so, as where the file system copies on write.</summary>
    public bool IsFullWithinFiles { get; set; }

    /// <summary>The next sync fails with an input/output error.</summary>
    public bool FailNextSync { get; set; }

    /// <summary>Syncs of files do nothing.</summary>
    public bool LiesAboutSync { get; set; }

    public IReadOnlyList<string> List() => [.. _names.Keys.Order(StringComparer.Ordinal)];

    public byte[] Content(string name) => _names[name].Current;

    public IDiskFile Create(string name, long sizeBytes)
    {
        Step(null);
        if (IsFull)
        {
            throw Full(name);
        }

        var inode = new Inode { Current = new byte[sizeBytes], Durable = new byte[sizeBytes] };
        Change(names => names[name] = inode);
        return new File(this, inode, name);
    }

    public IDiskFile Open(string name) => new File(this, _names[name], name);

    public void Rename(string from, string to)
    {
        Step(null);
        Change(names =>
        {
            names[to] = names[from];
            names.Remove(from);
        });
    }

    public void Delete(string name)
    {
        Step(null);
        Change(names => names.Remove(name));
    }

    public void SyncFolder()
    {
        Step(null);
        _pending.ForEach(p => p(_durableNames));
        _pending.Clear();
    }

    /// <summary>What is on the disk after the power has gone: chance decides over all that was not synced.</summary>
    public SectorDisk AfterPowerLoss(Random random)
    {
        foreach (var change in _pending.Take(random.Next(_pending.Count + 1)))
        {
            change(_durableNames);
        }

        var survivors = new Dictionary<Inode, Inode>();
        return new SectorDisk(
            _durableNames.ToDictionary(
                p => p.Key,
                p => survivors.TryGetValue(p.Value, out var known) ? known : survivors[p.Value] = p.Value.AfterPowerLoss(random)),
            _witness);
    }

    /// <summary>Spoils or cuts a file's bytes, on disk and in the cache.</summary>
    public void Spoil(string name, Func<byte[], byte[]> change)
    {
        var content = change([.. _names[name].Current]);
        _names[name].Current = content;
        _names[name].Durable = [.. content];
    }

    /// <summary>A copy to spoil.</summary>
    public SectorDisk Copy() => new(_names.ToDictionary(n => n.Key, n => new Inode { Current = [.. n.Value.Current], Durable = [.. n.Value.Current] }), new NonceWitness());

    private static DiskException Full(string name) => new("write", name, Native.ENOSPC, "No space left on device");

    private void Change(Action<Dictionary<string, Inode>> change)
    {
        change(_names);
        _pending.Add(change);
    }

    private void Step(Action? partly)
    {
        if (CrashIn is { } left)
        {
            CrashIn = left - 1;
            if (left <= 0)
            {
                partly?.Invoke();
                throw new SimulatedCrashException();
            }
        }
    }

    private sealed class Inode
    {
        public required byte[] Current { get; set; }

        public required byte[] Durable { get; set; }

        public HashSet<long> Dirty { get; } = [];

        public Inode AfterPowerLoss(Random random)
        {
            // A file that grew may have its new length or its old one.
            var result = random.Next(2) == 0 ? Current.Length : Durable.Length;
            var content = new byte[result];
            Durable.AsSpan(0, Math.Min(result, Durable.Length)).CopyTo(content);
            var how = random.Next(4);
            foreach (var sector in Dirty)
            {
                var start = (int)sector * SectorSizeBytes;
                var arrived = how switch { 0 => 0, 1 => SectorSizeBytes, _ => random.Next(4) switch { 0 => random.Next(SectorSizeBytes), 1 => 0, _ => SectorSizeBytes } };
                var length = Math.Min(arrived, Math.Min(Current.Length, result) - start);
                if (length > 0)
                {
                    Current.AsSpan(start, length).CopyTo(content.AsSpan(start));
                }
            }

            return new Inode { Current = content, Durable = [.. content] };
        }
    }

    private sealed class File(SectorDisk disk, Inode inode, string name) : IDiskFile
    {
        public long LengthBytes => inode.Current.Length;

        public int Read(long offset, Span<byte> buffer)
        {
            var available = (int)Math.Clamp(inode.Current.Length - offset, 0, buffer.Length);
            inode.Current.AsSpan((int)offset, available).CopyTo(buffer);
            return available;
        }

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            var copy = data.ToArray();
            disk._witness.Saw(inode, offset, copy);
            disk.Step(() => Put(offset, copy.AsSpan(0, copy.Length / 2)));
            if (disk.IsFullWithinFiles && data.ContainsAnyExcept((byte)0))
            {
                Put(offset, copy.AsSpan(0, copy.Length / 2));
                throw Full(name);
            }

            Put(offset, data);
        }

        public void Sync()
        {
            disk.Step(null);
            if (disk.FailNextSync)
            {
                // The kernel drops the pages' dirty mark: the cache shows what the disk does not have.
                disk.FailNextSync = false;
                inode.Dirty.Clear();
                throw new DiskException("fdatasync", name, 5, "Input/output error");
            }

            if (disk.LiesAboutSync)
            {
                return;
            }

            foreach (var sector in inode.Dirty)
            {
                inode.Durable = Grown(inode.Durable, inode.Current.Length);
                var start = (int)sector * SectorSizeBytes;
                var length = Math.Min(SectorSizeBytes, inode.Current.Length - start);
                if (length > 0)
                {
                    inode.Current.AsSpan(start, length).CopyTo(inode.Durable.AsSpan(start));
                }
            }

            inode.Dirty.Clear();
        }

        public void Truncate(long lengthBytes)
        {
            disk.Step(null);
            inode.Current = inode.Current[..(int)Math.Min(lengthBytes, inode.Current.Length)];
        }

        public void Dispose()
        {
        }

        private static byte[] Grown(byte[] content, int length)
        {
            Array.Resize(ref content, Math.Max(content.Length, length));
            return content;
        }

        private void Put(long offset, ReadOnlySpan<byte> data)
        {
            inode.Current = Grown(inode.Current, (int)offset + data.Length);
            data.CopyTo(inode.Current.AsSpan((int)offset));
            for (var sector = offset / SectorSizeBytes; sector * SectorSizeBytes < offset + data.Length; sector++)
            {
                inode.Dirty.Add(sector);
            }
        }
    }
}
