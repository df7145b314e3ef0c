using System.Text.RegularExpressions;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>One server of each kind at which two may prove by SASL who they are, and which keeps an audit log.</summary>
public sealed class ProvingServers() : CoordinationPair(servers: 1, ("bee", "honey"), ("queen", "royal jelly"));

public sealed partial class Users_and_what_they_did(ProvingServers pair) : IClassFixture<ProvingServers>, IAsyncDisposable
{
    public ValueTask DisposeAsync() => new(pair.TellAsync());

    [Fact]
    public Task Kazoo_and_the_Java_client_prove_by_SASL_who_they_are_and_are_told_what_ZooKeeper_tells_them() =>
        pair.SameAsync(connect => Judges.SaslAsync(connect, "/proofs"));

    [Fact]
    public async Task The_audit_log_tells_what_ZooKeepers_tells()
    {
        await pair.SameAsync(connect => Judges.KazooAsync("audited.py", connect, "/audited"));
        (IReadOnlyList<string> real, IReadOnlyList<string> ours) = await pair.AuditsAsync("znode=/audited/last");
        string? difference = CoordinationPair.FirstDifference(Told(real), Told(ours));
        Assert.True(difference is null, difference);
    }

    // Sessions by their order, and users in any.
    private static string[] Told(IReadOnlyList<string> lines)
    {
        var sessions = new List<string>();
        return
        [
            .. lines.Where(static l => l.Contains("/audited", StringComparison.Ordinal) || l.Contains("multiOperation", StringComparison.Ordinal))
                .Select(l => SessionId().Replace(l, found =>
                {
                    if (!sessions.Contains(found.Value))
                    {
                        sessions.Add(found.Value);
                    }
                    return $"session={sessions.IndexOf(found.Value)}";
                }))
                .Select(static l => Users().Replace(l, static found => "user=" + string.Join(',', found.Groups[1].Value.Split(',').Order(StringComparer.Ordinal))))
                // Its ACLs' entries stand without anything between them.
                .Select(static l => l.Replace("cdrwasasl:", "cdrwa,sasl:", StringComparison.Ordinal))
                // A session's ephemerals go in any order.
                .OrderBy(static l => l.Contains("ephemeralZNode", StringComparison.Ordinal) ? l : ""),
        ];
    }

    [GeneratedRegex("session=0x[0-9a-f]+")]
    private static partial Regex SessionId();

    [GeneratedRegex("user=([^\t]*)")]
    private static partial Regex Users();
}
