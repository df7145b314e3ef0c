namespace Skep.Sketches;

/// <summary>How often a key was counted.</summary>
/// <param name="Count">Never below the truth.</param>
/// <param name="Error">How much too high it is at most, with the <paramref name="Confidence"/>: ε times all counts.</param>
/// <param name="Confidence">1 − δ.</param>
public readonly record struct FrequencyEstimate(long Count, long Error, double Confidence)
{
    /// <summary>The least that the truth is, with the confidence.</summary>
    public long Low => Math.Max(0, Count - Error);
}
