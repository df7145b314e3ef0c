using System.Runtime.CompilerServices;

namespace Swarmctl.Tests.Support;

/// <summary>Texts that SwarmKit's own command line wrote. SKEP_UPDATE_GOLDEN=1 writes what ours says instead of comparing.</summary>
internal static class GoldenFile
{
    public static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", name + ".txt"));

    public static void Matches(string name, string text, [CallerFilePath] string source = "")
    {
        if (Environment.GetEnvironmentVariable("SKEP_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(Path.Combine(Path.GetDirectoryName(source)!, "..", "Golden", name + ".txt"), text);
            return;
        }
        Assert.Equal(Read(name), text);
    }
}
