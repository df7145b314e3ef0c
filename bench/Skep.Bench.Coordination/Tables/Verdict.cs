namespace Skep.Bench.Coordination;

/// <summary>Ours beside ZooKeeper's.</summary>
internal static class Verdict
{
    public static string Of(bool met) => met ? "met" : "NOT met";

    /// <summary>Prints how ours compares where both ran, and less is better.</summary>
    public static void Print(IReadOnlyDictionary<string, double> figures, double? wantedPart = null, string what = "ours")
    {
        if (figures.TryGetValue("Skep", out double ours) && figures.TryGetValue("ZooKeeper", out double theirs))
        {
            string wanted = wantedPart is { } part ? $"; wanted <= {part:0.00}: {Of(ours <= theirs * part)}" : "";
            Console.WriteLine($"  {what}: {ours / theirs:0.00} of ZooKeeper's, 1/{theirs / ours:0.0}{wanted}");
        }
    }
}
