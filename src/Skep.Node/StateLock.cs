namespace Skep.Node;

/// <summary>Keeps a second daemon out of a state directory for as long as the first one runs.</summary>
internal sealed class StateLock : IDisposable
{
    private readonly FileStream file;

    private StateLock(FileStream file) => this.file = file;

    /// <exception cref="NodeStartException">Another process has the directory, or it cannot be written.</exception>
    public static StateLock Take(string stateDirectory)
    {
        string path = Path.Combine(stateDirectory, "swarmd.lock");
        try
        {
            return new StateLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"--state-dir {stateDirectory}: another swarmd uses it, or it cannot be written ({e.Message}); stop that one or choose another directory", e);
        }
    }

    public void Dispose() => file.Dispose();
}
