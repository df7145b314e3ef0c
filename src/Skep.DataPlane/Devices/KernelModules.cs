using System.IO.Enumeration;

namespace Skep.DataPlane.Devices;

/// <summary>The modules that are installed for the kernel that runs (modules.alias and modules.dep of depmod(8)).</summary>
internal sealed class KernelModules
{
    private readonly List<(string Pattern, string Module)> _aliases = [];
    private readonly HashSet<string> _names = [];

    public KernelModules(string root)
    {
        Release = DeviceTree.Text(root, "proc/sys/kernel/osrelease");
        string folder = Path.Combine(root, "lib/modules", Release);
        foreach (string line in Lines(folder, "modules.alias"))
        {
            if (line.StartsWith("alias pci:", StringComparison.Ordinal) && line.Split(' ') is [_, var pattern, var module])
            {
                _aliases.Add((pattern, module));
            }
        }
        foreach (string line in Lines(folder, "modules.dep").Concat(Lines(folder, "modules.builtin")))
        {
            string file = Path.GetFileName(line.Split(':')[0]);
            _names.Add(file[..Math.Max(0, file.IndexOf(".ko", StringComparison.Ordinal))].Replace('_', '-'));
        }
    }

    /// <summary>The kernel's version.</summary>
    public string Release { get; }

    /// <summary>Whether there is a module of that name.</summary>
    public bool Has(string module) => _names.Contains(module.Replace('_', '-'));

    /// <summary>The modules that say they know a device.</summary>
    public IEnumerable<string> For(string modalias) =>
        modalias.Length == 0 ? [] : _aliases.Where(a => FileSystemName.MatchesSimpleExpression(a.Pattern, modalias, ignoreCase: false)).Select(a => a.Module).Distinct();

    private static IEnumerable<string> Lines(string folder, string name) =>
        File.Exists(Path.Combine(folder, name)) ? File.ReadLines(Path.Combine(folder, name)) : [];
}
