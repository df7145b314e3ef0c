using System.Runtime.InteropServices;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>
/// DPDK's libraries on this machine. Its structures are part of its binary interface, which has one number (the libraries' suffix)
/// for a year: 23 stands for 22.11, 23.03 and 23.07.
/// </summary>
internal static class DpdkLibraries
{
    private const string Expected = "DPDK 22.11 (binary interface 23)";
    private const string HowToGet = "'apt-get install dpdk librte-meta-net librte-meta-mempool' installs it on Debian 12";
    private static readonly string[] Versions = ["DPDK 22.11", "DPDK 23.03", "DPDK 23.07"];
    private static readonly string[] Needed = [Eal.Library, Eth.Library, "librte_mbuf.so.23", "librte_mempool.so.23"];

    /// <summary>What is there: a version such as <c>DPDK 22.11.11</c>.</summary>
    /// <exception cref="IOException">It is not there or another; the message says what is expected and what was found.</exception>
    public static unsafe string Require()
    {
        foreach (string library in Needed)
        {
            Require(library, Folders);
        }
        string version = Marshal.PtrToStringUTF8((nint)Eal.Version()) ?? "";
        return Array.Exists(Versions, v => version.StartsWith(v, StringComparison.Ordinal))
            ? version
            : throw new IOException($"{Eal.Library} is {version}: expected {Expected}, on whose structures this program relies");
    }

    /// <summary>Holds one library to be there.</summary>
    public static void Require(string library, IReadOnlyList<string> folders)
    {
        if (NativeLibrary.TryLoad(library, typeof(Eal).Assembly, null, out _))
        {
            return;
        }
        string stem = library[..(library.IndexOf(".so", StringComparison.Ordinal) + 3)];
        List<string> others = [.. folders.Where(Directory.Exists).SelectMany(f => Directory.GetFiles(f, stem + ".*")).Order(StringComparer.Ordinal)];
        throw new IOException($"{library} cannot be loaded: expected {Expected}, found {(others.Count == 0 ? $"no {stem} at all" : string.Join(", ", others))}; {HowToGet}");
    }

    private static string[] Folders =>
        ["/usr/lib", "/usr/local/lib", "/usr/lib64", .. Directory.Exists("/usr/lib") ? Directory.GetDirectories("/usr/lib", "*-linux-gnu") : [],
            .. Directory.Exists("/usr/local/lib") ? Directory.GetDirectories("/usr/local/lib", "*-linux-gnu") : []];
}
