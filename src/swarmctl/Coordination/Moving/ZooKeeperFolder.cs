using System.Globalization;
using System.IO.Compression;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Coordination.Moving;

/// <summary>
/// A stopped (or running) ZooKeeper's files: the newest snapshot that is whole, and all transactions after it. Snapshots and logs may lie in
/// folders of their own.
/// </summary>
internal sealed class ZooKeeperFolder
{
    private const string SnapshotPrefix = "snapshot.";
    private const string LogPrefix = "log.";

    private readonly Action<string> warn;
    private readonly List<(long Zxid, string Path)> snapshots = [];
    private readonly List<(long Zxid, string Path)> logs = [];
    private readonly bool snapshotIsNamed;

    private ZooKeeperFolder(IReadOnlyList<string> places, Action<string> warn)
    {
        this.warn = warn;
        foreach (string place in places)
        {
            if (Directory.Exists(place))
            {
                string inner = Path.Combine(place, "version-2");
                foreach (string file in Directory.EnumerateFiles(Directory.Exists(inner) ? inner : place))
                {
                    Sort(file);
                }
            }
            else if (!File.Exists(place))
            {
                throw new UserException($"{place}: there is no such file or folder");
            }
            else if (!Sort(place))
            {
                throw new UserException($"{place}: expected snapshot.<zxid>, log.<zxid> (the zxid in hex), or a folder with such files");
            }
            else
            {
                snapshotIsNamed |= snapshots.Any(s => s.Path == place);
            }
        }
        snapshots.Sort(static (a, b) => b.Zxid.CompareTo(a.Zxid));
        logs.Sort(static (a, b) => a.Zxid.CompareTo(b.Zxid));
    }

    /// <summary>The file that the tree was begun from; null where it was begun from nothing.</summary>
    public string? Snapshot { get; private set; }

    /// <summary>Transactions applied after it.</summary>
    public long Transactions { get; private set; }

    public StoredTree Tree { get; private set; } = StoredTree.Empty();

    /// <exception cref="UserException">There is no tree to be read there; names the file, and the offset in it.</exception>
    public static ZooKeeperFolder Read(IReadOnlyList<string> places, Action<string> warn)
    {
        var folder = new ZooKeeperFolder(places, warn);
        folder.ReadSnapshot(places);
        folder.ReadLogs();
        return folder;
    }

    private bool Sort(string file)
    {
        string name = Path.GetFileName(file);
        if (name.StartsWith(SnapshotPrefix, StringComparison.Ordinal))
        {
            string number = name[SnapshotPrefix.Length..];
            number = number.EndsWith(".gz", StringComparison.Ordinal) ? number[..^3] : number.EndsWith(".snappy", StringComparison.Ordinal) ? number[..^7] : number;
            return Add(snapshots, number, file);
        }
        return name.StartsWith(LogPrefix, StringComparison.Ordinal) && Add(logs, name[LogPrefix.Length..], file);
    }

    private static bool Add(List<(long, string)> files, string number, string file)
    {
        bool isZxid = long.TryParse(number, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long zxid);
        if (isZxid)
        {
            files.Add((zxid, file));
        }
        return isZxid;
    }

    private void ReadSnapshot(IReadOnlyList<string> places)
    {
        foreach ((long zxid, string path) in snapshots)
        {
            try
            {
                using Stream stream = Open(path);
                Tree = SnapshotReader.Read(stream, zxid);
                Snapshot = path;
                return;
            }
            catch (ZooKeeperFormatException e) when (!snapshotIsNamed)
            {
                warn($"{path}: {e.Message}; the snapshot before it is taken");
            }
            catch (ZooKeeperFormatException e)
            {
                throw new UserException($"{path}: {e.Message}");
            }
        }

        // A server that never made a snapshot has all its transactions in its logs, from the first on.
        if (logs is not [(1, _), ..])
        {
            throw new UserException($"no {(snapshots.Count > 0 ? "whole " : "")}snapshot is in {string.Join(", ", places)}: expected snapshot.<zxid> there, or in its folder version-2");
        }
    }

    private void ReadLogs()
    {
        long snapshot = Tree.LastZxid;

        // The last log that begins before the snapshot ends may reach beyond it.
        int first = Math.Max(0, logs.FindLastIndex(l => l.Zxid <= snapshot + 1));
        for (int i = first; i < logs.Count; i++)
        {
            ReadLog(logs[i].Path, snapshot);
        }
    }

    private void ReadLog(string path, long snapshot)
    {
        try
        {
            using Stream stream = Open(path);
            var reader = new LogReader(stream);
            while (reader.Read() is { } transaction)
            {
                if (transaction.Zxid <= Tree.LastZxid)
                {
                    continue;
                }

                // With a new leader the upper half grows, and the lower begins again.
                if (transaction.Zxid != Tree.LastZxid + 1 && transaction.Zxid >> 32 == Tree.LastZxid >> 32)
                {
                    warn($"{path}: transactions 0x{Tree.LastZxid + 1:x} to 0x{transaction.Zxid - 1:x} are in no file: what they changed is missing");
                }
                Tree.Apply(transaction);
                Transactions++;
            }
            if (reader.TornAt is { } offset)
            {
                warn($"{path}: at offset {offset} a transaction is cut short; as ZooKeeper does, what is before it is taken");
            }
        }
        catch (ZooKeeperFormatException e)
        {
            throw new UserException($"{path}: {e.Message}");
        }
    }

    private static Stream Open(string path)
    {
        try
        {
            // A server that runs may go on writing.
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.SequentialScan);
            return path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress)
                : path.EndsWith(".snappy", StringComparison.Ordinal) ? new SnappyInput(file)
                : file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path} cannot be read: {e.Message}");
        }
    }
}
