namespace Skep.Coordination.Client.Session;

/// <summary>
/// When to ping and when to give a connection up. Only answers count as signs of life: events also come where the server does not
/// hear us, and then it lets the session expire.
/// </summary>
internal static class KeepAlive
{
    public enum Step { Wait, Ping, GiveUp }

    public static (Step Step, TimeSpan Wait) Next(TimeSpan sinceSent, TimeSpan sinceAnswer, TimeSpan sessionTimeout)
    {
        TimeSpan ping = sessionTimeout / 3;
        TimeSpan silence = sessionTimeout * 2 / 3;
        if (sinceAnswer >= silence)
        {
            return (Step.GiveUp, TimeSpan.Zero);
        }
        TimeSpan wait = TimeSpan.FromTicks(Math.Min((silence - sinceAnswer).Ticks, sinceSent >= ping ? ping.Ticks : (ping - sinceSent).Ticks));
        // Timers count whole milliseconds; one that is early would only come again at once.
        return (sinceSent >= ping ? Step.Ping : Step.Wait, wait + TimeSpan.FromMilliseconds(1));
    }
}
