using System.Globalization;
using System.Runtime.InteropServices;
using Docker.Swarmkit.V1;
using Skep.Agent.Executors;
using Skep.Identity;

namespace Skep.Agent.Session;

/// <summary>What this machine is and has: its own facts, what the executors add, what the node's flags add.</summary>
internal sealed class NodeDescriber(IExecutor executor, AgentOptions options)
{
    private const long NanosPerCpu = 1_000_000_000;

    /// <summary>The description of now. Equal facts give equal descriptions.</summary>
    public async Task<NodeDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        var description = new NodeDescription
        {
            Hostname = Environment.MachineName,
            Platform = new Platform { Architecture = Architecture(), Os = "linux" },
            Resources = new Resources { NanoCpus = Environment.ProcessorCount * NanosPerCpu, MemoryBytes = MemorySizeBytes() },
            Engine = new EngineDescription(),
        };
        try
        {
            description.MergeFrom(await executor.DescribeAsync(cancellationToken));
        }
        catch (TaskTemporaryException)
        {
            // The machine is there even where what runs containers is not.
        }

        if (options.Hostname.Length > 0)
        {
            description.Hostname = options.Hostname;
        }

        foreach (var (name, value) in options.EngineLabels)
        {
            description.Engine.Labels[name] = value;
        }

        description.Engine.Labels[SkepMark.EngineLabel] = SkepMark.Version;
        var plugins = description.Engine.Plugins.Distinct()
            .OrderBy(p => p.Type, StringComparer.Ordinal).ThenBy(p => p.Name, StringComparer.Ordinal).ToList();
        description.Engine.Plugins.Clear();
        description.Engine.Plugins.AddRange(plugins);
        description.Resources.Generic.AddRange(options.GenericResources);
        description.TlsInfo = options.TlsInfo();
        return description;
    }

    // As uname(1) and Docker name them.
    private static string Architecture() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "x86_64",
        System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
        System.Runtime.InteropServices.Architecture.Arm => "armv7l",
        System.Runtime.InteropServices.Architecture.X86 => "i686",
        var other => other.ToString().ToLowerInvariant(),
    };

    private static long MemorySizeBytes()
    {
        const string total = "MemTotal:";
        foreach (var line in File.ReadLines("/proc/meminfo"))
        {
            if (line.StartsWith(total, StringComparison.Ordinal)
                && long.TryParse(line.AsSpan(total.Length).Trim().ToString().Split(' ')[0], CultureInfo.InvariantCulture, out var kib))
            {
                return kib * 1024;
            }
        }

        return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }
}
