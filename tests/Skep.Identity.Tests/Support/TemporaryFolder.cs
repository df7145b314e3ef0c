namespace Skep.Identity.Tests.Support;

internal sealed class TemporaryFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("skep-identity-").FullName;

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
