using System.Globalization;
using Skep.Api;
using Skep.V1;
using Swarmctl.Connection;
using Swarmctl.Output;

namespace Swarmctl.Clusters;

/// <summary><c>cluster status</c>: which managers there are, how they fare, and what that means.</summary>
internal static class ClusterStatusCommand
{
    public static async Task RunAsync(Session s, CancellationToken ct)
    {
        ManagersStatus status = await new Managers.ManagersClient(s.Connection.Invoker).StatusAsync(new(), cancellationToken: ct).ConfigureAwait(false);
        if (s.Json)
        {
            s.WriteJson(status);
            return;
        }
        s.Output.Write(Table(status, s.Now));
        s.Output.WriteLine();
        s.Output.WriteLine($"Term {status.Term}, {(status.Leader.Length > 0 ? "led by " + NameOf(status, status.Leader) : "no leader known")}, committed up to entry {status.CommitIndex}");
        s.Output.WriteLine(ManagersSentence.Of(status));
        if (status.MayBeStale)
        {
            s.Output.WriteLine($"The manager that was asked, {NameOf(status, status.AnsweredBy)}, hears of no leader: this is what it knew last");
        }
    }

    private static TabText Table(ManagersStatus status, DateTimeOffset now)
    {
        TabText table = TabText.ForList().Header("ID", "Hostname", "Address", "Raft ID", "Role", "Status", "Behind", "Applied");
        foreach (ManagerMember m in status.Members)
        {
            table.Line(string.Join(
                '\t',
                m.NodeId,
                m.Hostname,
                m.Address,
                m.RaftId.ToString("x", CultureInfo.InvariantCulture),
                WireNames.Of(m.Kind),
                Standing(m, now),
                m.HasLagEntries ? m.LagEntries.ToString(CultureInfo.InvariantCulture) : "-",
                m.HasAppliedIndex ? m.AppliedIndex.ToString(CultureInfo.InvariantCulture) : "-"));
        }
        return table;
    }

    private static string Standing(ManagerMember m, DateTimeOffset now) =>
        m.Leader && m.Reachable ? "LEADER"
        : m.Reachable ? "REACHABLE"
        : m.UnreachableSince is null ? "UNREACHABLE"
        : "UNREACHABLE, heard " + HumanTime.Ago(m.UnreachableSince, now);

    private static string NameOf(ManagersStatus status, string nodeId) =>
        status.Members.FirstOrDefault(m => m.NodeId == nodeId)?.Hostname is { Length: > 0 } name ? name : nodeId;
}
