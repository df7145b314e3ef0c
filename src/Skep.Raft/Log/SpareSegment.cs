namespace Skep.Raft.Log;

/// <summary>
/// Prepares the next segment's file beside the writing, so that nobody waits for the filling with zeros.
/// One file at most.
/// </summary>
internal sealed class SpareSegment(IDisk disk, int sizeBytes) : IDisposable
{
    private readonly Lock _gate = new();
    private Task<IDiskFile?>? _preparing;

    /// <summary>Begins to prepare a file, if there is none yet.</summary>
    public void Prepare()
    {
        lock (_gate)
        {
            _preparing ??= Task.Run(TryCreate);
        }
    }

    /// <summary>The prepared file, waiting for it if it is under way; null when there is none.</summary>
    public (IDiskFile File, string Name)? Take()
    {
        Task<IDiskFile?>? preparing;
        lock (_gate)
        {
            preparing = _preparing;
            _preparing = null;
        }

        return preparing?.GetAwaiter().GetResult() is { } file ? (file, FileNames.Spare) : null;
    }

    public void Dispose()
    {
        if (Take() is { } spare)
        {
            spare.File.Dispose();
            disk.Delete(spare.Name);
        }
    }

    private IDiskFile? TryCreate()
    {
        try
        {
            return disk.Create(FileNames.Spare, sizeBytes);
        }
        catch (IOException)
        {
            // Whoever needs the file makes it then, and tells what is wrong.
            return null;
        }
    }
}
