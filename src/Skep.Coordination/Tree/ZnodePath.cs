namespace Skep.Coordination.Tree;

/// <summary>Which texts are paths of znodes: ZooKeeper's rules, character by character.</summary>
internal static class ZnodePath
{
    private static readonly string[] Kept = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

    public static bool IsValid(string path)
    {
        if (path.Length == 0 || path[0] != '/')
        {
            return false;
        }
        if (path.Length == 1)
        {
            return true;
        }
        if (path[^1] == '/')
        {
            return false;
        }
        for (int start = 1; start < path.Length;)
        {
            int end = path.IndexOf('/', start);
            end = end < 0 ? path.Length : end;
            ReadOnlySpan<char> name = path.AsSpan(start, end - start);
            if (name is "" or "." or ".." || HoldsForbidden(name))
            {
                return false;
            }
            start = end + 1;
        }
        return true;
    }

    /// <summary>Those nodes that are always there, and that nobody removes.</summary>
    public static bool IsKept(string path) => Array.IndexOf(Kept, path) >= 0;

    /// <summary>The parent's path; the root's as the empty text, which names the root as well. Null where there is no slash.</summary>
    public static string? Parent(string path) => path.LastIndexOf('/') is >= 0 and int slash && !path.Contains('\0') ? path[..slash] : null;

    // Control characters, surrogates and the private area, and the specials at the end of the plane.
    private static bool HoldsForbidden(ReadOnlySpan<char> name)
    {
        foreach (char c in name)
        {
            if (c is <= '\x1f' or (>= '\x7f' and <= '\x9f') or (>= '\ud800' and <= '\uf8ff') or >= '\ufff0')
            {
                return true;
            }
        }
        return false;
    }
}
