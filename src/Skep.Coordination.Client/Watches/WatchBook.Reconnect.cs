using System.Text;
using Skep.Coordination.Client.Session;
using Skep.Jute;

namespace Skep.Coordination.Client.Watches;

/// <summary>What a new connection is told of the watches.</summary>
internal sealed partial class WatchBook
{
    // Servers refuse requests above 1 MiB; what is more goes in several.
    private const int ChunkBytes = 128 * 1024;

    /// <summary>The requests that set all watches again, none where nothing is watched. The server tells of what changed since the zxid.</summary>
    public IReadOnlyList<Request> SetAgain(long lastZxid)
    {
        List<(int List, string Path)> all = [];
        lock (Gate)
        {
            // What is still being asked for will ask for its watch itself; beside a persistent watch none is set.
            foreach (OneShot watch in _oneShots.Values.SelectMany(w => w).Where(w => w.IsActive))
            {
                all.Add(((int)watch.Kind, watch.Path));
            }
            foreach ((string path, List<WatchStream> streams) in _streams)
            {
                all.Add((3 + (int)streams[0].Mode, path));
            }
        }
        // Persistent watches come last: at servers before 3.9 the last mode set for a path is the one it has.
        (int List, string Path)[][] chunks = [.. Chunks([.. all.Distinct().OrderBy(w => w.List)])];
        return [.. chunks.Select((chunk, i) => Chunk(chunk, lastZxid, isLast: i == chunks.Length - 1))];
    }

    private static IEnumerable<(int, string)[]> Chunks((int List, string Path)[] all)
    {
        for (int start = 0, end = 0; start < all.Length; start = end)
        {
            for (int bytes = 0; end < all.Length && bytes < ChunkBytes; end++)
            {
                bytes += 4 + Encoding.UTF8.GetByteCount(all[end].Path);
            }
            yield return all[start..end];
        }
    }

    private Request<bool> Chunk((int List, string Path)[] chunk, long lastZxid, bool isLast)
    {
        string[] Of(int list) => [.. chunk.Where(w => w.List == list).Select(w => w.Path)];
        bool persistent = chunk[^1].List >= 3;
        OpCode op = persistent ? OpCode.SetWatches2 : OpCode.SetWatches;
        RequestFrame frame = persistent
            ? RequestFrame.Make(op, new SetWatches2(lastZxid, Of(0), Of(1), Of(2), Of(3), Of(4)))
            : RequestFrame.Make(op, new SetWatches(lastZxid, Of(0), Of(1), Of(2)));
        return new Request<bool>(op, "", frame, (error, _) =>
        {
            if (error != ErrorCode.Ok)
            {
                throw new JuteFormatException($"the server does not set the watches again ({error})");
            }
            if (isLast)
            {
                Reconnected();
            }
            return true;
        })
        { FixedXid = Request.SetWatchesXid };
    }
}
