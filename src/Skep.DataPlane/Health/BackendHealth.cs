namespace Skep.DataPlane.Health;

/// <summary>
/// What is believed of a backend from what its checks said; pure. At first it is taken for up, so that a balancer that starts does not
/// refuse everybody, and the first answer settles it either way; from then on it takes several in a row.
/// </summary>
/// <param name="config">How many.</param>
internal sealed class BackendHealth(HealthCheckConfig config)
{
    private int _against;

    /// <summary>Whether nothing was heard yet.</summary>
    public bool IsUnknown { get; private set; } = true;

    public bool IsUp { get; private set; } = true;

    /// <summary>What the last check said where it failed; empty where it did not.</summary>
    public string Why { get; private set; } = "";

    /// <summary>A check ended.</summary>
    /// <param name="failure">What went wrong; null when it is well.</param>
    /// <returns>Whether it is up now and was down before, or the other way round.</returns>
    public bool Observe(string? failure)
    {
        bool well = failure is null;
        Why = failure ?? "";
        bool first = IsUnknown;
        IsUnknown = false;
        if (well == IsUp)
        {
            _against = 0;
            return false;
        }
        if (!first && ++_against < (IsUp ? config.Fall : config.Rise))
        {
            return false;
        }
        (_against, IsUp) = (0, well);
        return true;
    }
}
