namespace Skep.Coordination.Serving;

/// <summary>What a member counted since it began, or since <c>srst</c>.</summary>
internal sealed class MemberFigures
{
    public long Received { get; set; }

    public long Sent { get; set; }

    public long Answered { get; private set; }

    public long SumLatencyMs { get; private set; }

    public long LeastLatencyMs { get; private set; }

    public long MostLatencyMs { get; private set; }

    /// <summary>Requests that wait, over all connections.</summary>
    public int Outstanding { get; set; }

    /// <summary>Bytes of them.</summary>
    public long OutstandingSizeBytes { get; set; }

    /// <summary>Connections that were not taken in: there were as many as there may be.</summary>
    public long ConnectionsRefused { get; set; }

    /// <summary>Connections closed since a frame was longer than is taken, or no request at all.</summary>
    public long BadFrames { get; set; }

    /// <summary>Writes beyond a quota that were applied or refused while this member led.</summary>
    public long OverQuotas { get; set; }

    public long ExpiredSessions { get; set; }

    public long WatchesFired { get; set; }

    public double AverageLatencyMs => Answered == 0 ? 0 : (double)SumLatencyMs / Answered;

    public void Took(long latencyMs)
    {
        LeastLatencyMs = Answered == 0 ? latencyMs : Math.Min(LeastLatencyMs, latencyMs);
        MostLatencyMs = Math.Max(MostLatencyMs, latencyMs);
        SumLatencyMs += latencyMs;
        Answered++;
    }

    public void Reset()
    {
        (Received, Sent, Answered, SumLatencyMs, LeastLatencyMs, MostLatencyMs) = (0, 0, 0, 0, 0, 0);
    }
}
