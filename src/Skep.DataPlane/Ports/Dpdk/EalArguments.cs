namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>EAL's command line.</summary>
internal static class EalArguments
{
    /// <summary>Tells EAL's files of this process from others'.</summary>
    public static string FilePrefix => $"skep{Environment.ProcessId}";

    /// <summary>Makes it.</summary>
    /// <param name="options">What is wanted.</param>
    /// <param name="core">Core of EAL's main lcore, which does nothing once EAL has started. Workers run where their threads do.</param>
    public static IReadOnlyList<string> Make(DpdkOptions options, int core)
    {
        List<string> arguments = ["skep", "--lcores", $"0@{core}", "-m", $"{options.MemoryMb}", "--no-telemetry", "--file-prefix", FilePrefix, "--log-level", "warning"];
        // EAL refuses --in-memory without huge pages; without shared configuration it then leaves no files either.
        arguments.AddRange(options.HugePages ? ["--in-memory"] : ["--no-huge", "--no-shconf"]);
        arguments.AddRange(options.PciDevices.Count == 0 ? ["--no-pci"] : options.PciDevices.SelectMany(static d => (string[])["-a", d]));
        arguments.AddRange(options.ExtraArguments);
        return arguments;
    }

    /// <summary>The first core that the process may run on.</summary>
    /// <param name="status">What /proc/self/status says.</param>
    public static int FirstCore(string status)
    {
        const string key = "Cpus_allowed_list:";
        string list = status.Split('\n').FirstOrDefault(static l => l.StartsWith(key, StringComparison.Ordinal))?[key.Length..].Trim() ?? "";
        return int.TryParse(list.Split(',', '-')[0], out int core) ? core : 0;
    }
}
