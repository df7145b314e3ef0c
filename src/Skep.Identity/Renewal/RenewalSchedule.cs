namespace Skep.Identity.Renewal;

/// <summary>When a certificate is to be renewed: at a random point between 50 and 80 % of its life, so that nodes that joined together do not renew together.</summary>
public static class RenewalSchedule
{
    private const double Earliest = 0.5;
    private const double Latest = 0.8;

    /// <summary>How long to wait from now on; zero when the point that was drawn has passed.</summary>
    /// <param name="notBefore">Start of the certificate's life.</param>
    /// <param name="notAfter">Its end.</param>
    /// <param name="now">Now.</param>
    /// <param name="random">Draws the point.</param>
    public static TimeSpan Delay(DateTimeOffset notBefore, DateTimeOffset notAfter, DateTimeOffset now, Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var point = notBefore + (notAfter - notBefore) * (Earliest + (Latest - Earliest) * random.NextDouble());
        return point > now ? point - now : TimeSpan.Zero;
    }
}
