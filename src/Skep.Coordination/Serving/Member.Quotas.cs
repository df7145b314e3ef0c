using Microsoft.Extensions.Logging;
using Skep.Coordination.Replication;
using Skep.Coordination.Tree;

namespace Skep.Coordination.Serving;

internal sealed partial class Member
{
    private const int QuotaNoticeEveryMs = 10_000;
    private long _quotaNoticeMs = long.MinValue / 2;
    private long _overQuotasTold;

    // All members see it; the leader says it for all. A client that writes on fills no log.
    void IOutcomes.WentOver(in OverQuota over)
    {
        if (!_seen.Leads)
        {
            return;
        }
        _figures.OverQuotas++;
        long nowMs = _options.NowMs();
        if (nowMs - _quotaNoticeMs < QuotaNoticeEveryMs)
        {
            return;
        }
        (long unsaid, OverQuota said) = (_figures.OverQuotas - _overQuotasTold - 1, over);
        (_quotaNoticeMs, _overQuotasTold) = (nowMs, _figures.OverQuotas);
        _effects.Notices.Add(log => LogOverQuota(
            log, said.Path, said.Wanted, said.Of, said.IsHard ? "hard" : "soft", said.Limit, said.IsRefused ? "refused" : "done all the same", unsaid));
    }

    [LoggerMessage(EventId = 2405, Level = LogLevel.Warning, Message = "The quota of {Path} is exceeded: a write makes {Wanted} {Of}, the {Kind} limit is {Limit}; it was {Outcome} ({Unsaid} such writes since this was last said)")]
    private static partial void LogOverQuota(ILogger logger, string path, long wanted, string of, string kind, long limit, string outcome, long unsaid);
}
