namespace Skep.Simulation;

/// <summary>An invariant does not hold.</summary>
internal sealed class SimulationFailure(string invariant, string message) : Exception($"{invariant}: {message}")
{
    public string Invariant => invariant;
}
