namespace Skep.Simulation.Tests;

/// <summary>
/// Each story in Scenarios has the trace beside it that is expected of it. SKEP_UPDATE_GOLDEN=1 writes the traces anew, to
/// be read as a diff.
/// </summary>
public sealed class ScenarioTests
{
    private static readonly bool Update = Environment.GetEnvironmentVariable("SKEP_UPDATE_GOLDEN") == "1";

    public static TheoryData<string> Stories =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Scenarios"), "*.txt").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    [Theory]
    [MemberData(nameof(Stories))]
    public void A_story_goes_as_its_trace_says(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Scenarios");
        var trace = Scenario.Play(File.ReadAllText(Path.Combine(folder, name + ".txt")));
        if (Update)
        {
            File.WriteAllText(Path.Combine(SourceFolder(), name + ".trace"), trace);
            return;
        }

        Assert.Equal(File.ReadAllText(Path.Combine(folder, name + ".trace")), trace);
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "Scenarios");
}
