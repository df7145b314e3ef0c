using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging;
using Skep.Coordination;
using Skep.Identity;
using Skep.Identity.Files;
using Skep.Identity.Keys;
using Skep.Manager.Recovery;
using Skep.Node.Managers;
using Skep.Raft;
using Skep.Store.Durability;
using Skep.Store.Members;
using RaftMember = Skep.Raft.RaftMember;

namespace Skep.Node.Recovery;

/// <summary><c>--force-new-cluster</c>: a manager whose others are lost goes on alone with all that it has.</summary>
internal sealed partial class ForcedCluster(StateDirectory state, ILogger<ForcedCluster> logger)
{
    private const string Flag = "--force-new-cluster";

    /// <summary>Before anything is made: there must be a manager's directory to force.</summary>
    /// <exception cref="NodeStartException">There is none.</exception>
    public static void Check(StateDirectory state)
    {
        if (!File.Exists(state.NodeKey) || !File.Exists(state.RootCertificate))
        {
            throw new NodeStartException(
                $"{Flag}: there is no manager in {state.Root}; name the state directory of a manager that is left with --state-dir, or restore a backup with --restore FILE");
        }
    }

    /// <summary>Makes this member the only voter, before its log is opened for use.</summary>
    /// <param name="self">This node.</param>
    /// <param name="keys">Its key file, open.</param>
    /// <param name="address">Where others will reach it, host:port.</param>
    /// <param name="ct">Stops before anything is written.</param>
    /// <exception cref="NodeStartException">This node is no manager, or its log cannot be gone on with.</exception>
    public async Task RunAsync(NodeIdentity self, NodeKeyFile keys, string address, CancellationToken ct)
    {
        string folder = DurableStore.FolderOf(state.Root);
        if (self.Role != NodeRole.Manager)
        {
            throw new NodeStartException(
                $"{Flag}: {state.Root} is a worker's, which holds nothing of the cluster's state; use a manager's state directory, or restore a backup with --restore FILE");
        }
        if (!RaftRecovery.HasLog(folder) || keys.Read().DataKeys is not { Writing: { } dataKey } dataKeys)
        {
            throw new NodeStartException(
                $"{Flag}: there is no log in {folder}, so there is nothing to go on with; use the state directory of a manager that has one, or restore a backup with --restore FILE");
        }
        ulong member = MemberFile.Read(state, self.NodeId) ?? MemberIds.OfFounder(self.NodeId);
        RaftRecovered found;
        try
        {
            found = await RaftRecovery.ForceSingleAsync(
                new RaftRecoveryOptions
                {
                    Folder = folder,
                    DataKey = dataKey,
                    OlderDataKeys = dataKeys.Older,
                    GroupId = DurableStore.GroupId,
                    FollowingGroupIds = [CoordinationService.GroupId],
                    Member = new RaftMember(member, address),
                },
                given => GivenUpFile.Add(state, given.GivenUp.Select(static m => m.Id)),
                ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RaftLogException or InvalidOperationException or InvalidDataException)
        {
            throw new NodeStartException($"{Flag}: {e.Message}; try another manager's state directory, or restore a backup with --restore FILE", e);
        }
        if (found.GivenUp.Count == 0)
        {
            if (found.ChangedGroupIds.Count == 0)
            {
                LogAlone(logger);
            }
            else
            {
                LogCompleted(logger);
            }
            return;
        }
        foreach (RaftMember lost in found.GivenUp)
        {
            LogGivenUp(logger, lost.Id, lost.Address);
        }
        LogForced(logger, found.LastIndex, found.CommitIndex, found.UncertainEntries);
    }

    /// <summary>Takes the nodes of those given up out of the store, once this manager leads; to be called before it decides anything.</summary>
    public async Task CompleteAsync(DurableStore store, string nodeId, TimeProvider time, CancellationToken ct)
    {
        if (GivenUpFile.Read(state) is not { } givenUp)
        {
            return;
        }
        IReadOnlyList<Docker.Swarmkit.V1.Node> lost = await LostManagers.DropAsync(store.Store, store.Members.View, nodeId, givenUp, time, ct).ConfigureAwait(false);
        foreach (Docker.Swarmkit.V1.Node node in lost)
        {
            LogDropped(logger, node.Id, node.Description?.Hostname ?? "");
        }
        GivenUpFile.Remove(state);
    }

    [LoggerMessage(EventId = 2301, Level = LogLevel.Warning, Message = "--force-new-cluster: this manager is the only one already; nothing was changed. Take the flag out of its start")]
    private static partial void LogAlone(ILogger logger);

    [LoggerMessage(EventId = 2305, Level = LogLevel.Warning, Message = "--force-new-cluster: this manager was the only one already, and is so in the whole of its log now. Take the flag out of its start")]
    private static partial void LogCompleted(ILogger logger);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Warning, Message = "Manager {Member:x} at {Address} is given up. Never start it with its old state directory again: it would be refused here, and with others that are given up it could go on as a second cluster of the same name. Empty its state directory and let it join anew")]
    private static partial void LogGivenUp(ILogger logger, ulong member, string address);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Warning, Message = "This manager goes on alone with its {LastIndex} entries. {CommitIndex} are known to be committed; the {Uncertain} behind them are kept, acknowledged or not. What only the managers given up had is lost. Take --force-new-cluster out of its start")]
    private static partial void LogForced(ILogger logger, ulong lastIndex, ulong commitIndex, ulong uncertain);

    [LoggerMessage(EventId = 2304, Level = LogLevel.Warning, Message = "Node {NodeId} ({Hostname}) was a manager that is given up: it is removed from the cluster, and its certificate counts no more")]
    private static partial void LogDropped(ILogger logger, string nodeId, string hostname);
}
