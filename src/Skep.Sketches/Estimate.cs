namespace Skep.Sketches;

/// <summary>A number known only about.</summary>
/// <param name="Value">The best guess.</param>
/// <param name="StandardError">One standard deviation of the guess, in the same unit; the truth lies within two of them in 95 of 100 cases.</param>
public readonly record struct Estimate(double Value, double StandardError)
{
    /// <summary>The lower end of the interval of so many standard errors, never below 0.</summary>
    public double Low(double standardErrors = 2) => Math.Max(0, Value - (standardErrors * StandardError));

    /// <summary>The upper end of the interval of so many standard errors.</summary>
    public double High(double standardErrors = 2) => Value + (standardErrors * StandardError);
}
