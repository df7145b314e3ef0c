namespace Skep.Coordination.Client.Session;

/// <summary>How long to wait before the servers are tried once more. A session is at stake, so it is never long.</summary>
internal static class Backoff
{
    public const int LeastMs = 50;
    public const int MostMs = 1_000;

    /// <param name="round">How many rounds over all servers have failed.</param>
    /// <param name="jitter">0 to 1: keeps clients that lost the same server from coming back at once.</param>
    public static TimeSpan Delay(int round, double jitter)
    {
        int wholeMs = Math.Min(MostMs, LeastMs << Math.Clamp(round - 1, 0, 10));
        return round == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(wholeMs * (0.5 + (jitter / 2)));
    }
}
