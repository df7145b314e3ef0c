namespace Skep.Store.Tests.Durability;

/// <summary>A folder that goes away with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("skep-store-").FullName;

    public string Log => System.IO.Path.Combine(Path, "raft");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
