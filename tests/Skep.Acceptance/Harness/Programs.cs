namespace Skep.Acceptance.Harness;

/// <summary>The published executables that are tested: those in $SKEP_BIN, else in bin/ of the repository.</summary>
internal static class Programs
{
    private static readonly string Folder = Environment.GetEnvironmentVariable("SKEP_BIN") is { Length: > 0 } given ? given : Path.Combine(Repository, "bin");

    /// <summary>The folder that the tests were built in.</summary>
    public static string Repository => FindRepository();

    public static string Swarmd => Path.Combine(Folder, "swarmd");

    public static string Swarmctl => Path.Combine(Folder, "swarmctl");

    /// <summary>Skips the test where the programs were not built, or process tasks cannot run.</summary>
    public static void Need()
    {
        Assert.SkipUnless(File.Exists(Swarmd) && File.Exists(Swarmctl), $"swarmd and swarmctl are not in {Folder}: ./run --build puts them there");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "a node that runs process tasks needs root");
    }

    private static string FindRepository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Skep.slnx")))
            {
                return folder.FullName;
            }
        }
        return ".";
    }
}
