namespace Swarmctl.Coordination;

/// <summary>What of a tree is the servers' own, and neither moved nor removed: ZooKeeper's part and Skep's.</summary>
internal static class ServersOwn
{
    private static readonly string[] Roots = ["/zookeeper", "/skep"];

    public static bool Holds(string path) => Roots.Any(r => path.StartsWith(r, StringComparison.Ordinal) && (path.Length == r.Length || path[r.Length] == '/'));
}
