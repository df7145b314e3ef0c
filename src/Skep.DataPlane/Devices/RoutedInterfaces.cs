using System.Globalization;

namespace Skep.DataPlane.Devices;

/// <summary>Which network devices carry routes (/proc/net/route and ipv6_route).</summary>
/// <param name="All">Those that carry any.</param>
/// <param name="Default">Those that carry the default route.</param>
internal sealed record RoutedInterfaces(IReadOnlySet<string> All, IReadOnlySet<string> Default)
{
    // Every interface has routes to link-local addresses and to multicast, whether it is used or not.
    private static readonly string[] EveryInterfaces = ["fe80", "ff00"];

    public static RoutedInterfaces Read(string root)
    {
        HashSet<string> all = [], defaults = [];
        foreach (string[] words in Lines(Path.Combine(root, "proc/net/route")).Skip(1).Where(w => w.Length >= 8))
        {
            Add(words[0], isDefault: words[1] == "00000000" && words[7] == "00000000");
        }
        foreach (string[] words in Lines(Path.Combine(root, "proc/net/ipv6_route")).Where(w => w.Length >= 10 && IsUsed(w)))
        {
            Add(words[9], isDefault: words[1] == "00" && words[0].All(c => c == '0'));
        }
        return new RoutedInterfaces(all, defaults);

        void Add(string name, bool isDefault)
        {
            all.Add(name);
            if (isDefault)
            {
                defaults.Add(name);
            }
        }
    }

    /// <summary>Whether an interface carries a route: its own, or that of a bond, bridge or VLAN that stands on it.</summary>
    public bool Carries(string root, string name) => Above(root, name, []).Any(All.Contains);

    /// <summary>Whether an interface carries the default route, in the same sense.</summary>
    public bool CarriesDefault(string root, string name) => Above(root, name, []).Any(Default.Contains);

    // The kernel links a device to all that stand on it: master (a bond, a bridge) and upper_NAME (these and VLANs).
    private static HashSet<string> Above(string root, string name, HashSet<string> seen)
    {
        string folder = Path.Combine(root, "sys/class/net", name);
        if (seen.Add(name) && Directory.Exists(folder))
        {
            foreach (string upper in Directory.GetFileSystemEntries(folder, "upper_*").Select(static u => Path.GetFileName(u)["upper_".Length..]))
            {
                Above(root, upper, seen);
            }
            if (DeviceTree.LinkName(folder, "master") is { } master)
            {
                Above(root, master, seen);
            }
        }
        return seen;
    }

    private static bool IsUsed(string[] words)
    {
        const uint up = 1, reject = 0x200, local = 0x8000_0000;
        return !EveryInterfaces.Contains(words[0][..Math.Min(4, words[0].Length)])
            && uint.TryParse(words[8], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint flags) && (flags & (up | reject | local)) == up;
    }

    private static IEnumerable<string[]> Lines(string path) =>
        File.Exists(path) ? File.ReadLines(path).Select(l => l.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) : [];
}
