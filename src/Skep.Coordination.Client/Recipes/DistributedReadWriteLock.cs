namespace Skep.Coordination.Client.Recipes;

/// <summary>
/// A lock that many may hold to read or one to write, in the order of asking: a reader waits for the writer before it, a writer for all
/// before it, and readers do not overtake a waiting writer.
/// </summary>
/// <inheritdoc cref="DistributedLock"/>
public sealed class DistributedReadWriteLock(CoordinationClient client, string path, TimeSpan? grace = null)
{
    private const string Write = "-write-";
    private readonly WaitingLine _line = new(client, path, grace);

    /// <summary>Waits to read.</summary>
    public async Task<LockHandle> AcquireReadAsync(CancellationToken ct = default) => (await _line.EnterAsync("read-", default, WriterBefore, null, ct))!;

    /// <summary>Waits to write.</summary>
    public async Task<LockHandle> AcquireWriteAsync(CancellationToken ct = default) =>
        (await _line.EnterAsync("write-", default, WaitingLine.Predecessor, null, ct))!;

    private static string? WriterBefore(IReadOnlyList<string> line, int own)
    {
        for (int i = own - 1; i >= 0; i--)
        {
            if (line[i].Contains(Write, StringComparison.Ordinal))
            {
                return line[i];
            }
        }
        return null;
    }
}
