using System.Globalization;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>The huge pages that the kernel has set aside. To look first gives a better error than EAL does, and another try.</summary>
internal static class HugePages
{
    private const string KernelFolder = "/sys/kernel/mm/hugepages";
    private const string Prefix = "hugepages-", Suffix = "kB";
    private const int UsualKb = 2048;

    /// <summary>Holds what is wanted against what is there.</summary>
    /// <exception cref="IOException">There are not enough; the message says how many there are and how to get more.</exception>
    public static void Require(int memoryMb, string folder = KernelFolder)
    {
        long freeKb = 0, usual = 0;
        var found = new List<string>();
        string[] sizes = Directory.Exists(folder) ? Directory.GetDirectories(folder, Prefix + "*") : [];
        foreach (string size in sizes.Order(StringComparer.Ordinal))
        {
            if (long.TryParse(Path.GetFileName(size).AsSpan(Prefix.Length).TrimEnd(Suffix), CultureInfo.InvariantCulture, out long pageKb))
            {
                long free = Number(Path.Combine(size, "free_hugepages")), all = Number(Path.Combine(size, "nr_hugepages"));
                found.Add($"{free} of {all} pages of {pageKb} kB");
                freeKb += free * pageKb;
                usual = pageKb == UsualKb ? all : usual;
            }
        }
        if (freeKb >= memoryMb * 1024L)
        {
            return;
        }
        long wanted = usual + (memoryMb * 1024L - freeKb + UsualKb - 1) / UsualKb;
        throw new IOException($"DPDK wants {memoryMb} MiB on huge pages, and free are {(found.Count == 0 ? "none: this kernel has no huge pages" : string.Join(", ", found))}. "
            + $"'echo {wanted} > {KernelFolder}/{Prefix}{UsualKb}{Suffix}/nr_hugepages' as root sets them aside; without huge pages ('nohuge' behind the device) virtual devices work too, slower");
    }

    private static long Number(string file) => File.Exists(file) && long.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out long value) ? value : 0;
}
