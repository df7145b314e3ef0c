namespace Skep.Raft.Tests.Host;

internal static class AppendingChild
{
    public const string Argument = "--append-until-killed";

    public static Task<int> RunAsync(string folder) => Task.FromResult(folder.Length);
}
