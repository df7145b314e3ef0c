using System.Globalization;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Skep.Identity;
using Skep.Identity.Tls;
using Skep.Manager.Membership;
using Skep.Store.Members;

namespace Skep.Node.Managers;

/// <summary>
/// Sees to it that this manager is in the group, under the address where it is reached now: a joiner asks to be taken in, one that
/// moved says so, one that hears no leader asks whether it is still wanted. It asks any manager it knows, which hands the call on to
/// the leader, until a leader tells it what the group agrees on.
/// </summary>
internal sealed partial class GroupJoining(
    StoreMembers members, NodeIdentitySource identity, string ownAddress, Func<string?> pickManager, TimeProvider time, ILogger<GroupJoining> logger)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    // Longer than any election takes where a majority is up.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            await UntilAmissAsync(ct).ConfigureAwait(false);
            await AskUntilInAsync(ct).ConfigureAwait(false);
        }
    }

    // One that was taken out while it was off still finds itself in its own log, but no leader tells it anything. Where there is none,
    // nobody answers what it asks.
    private async Task UntilAmissAsync(CancellationToken ct)
    {
        while (IsIn(members.View))
        {
            await members.WaitForAsync(v => !IsIn(v) || v.LeaderId == 0, ct).ConfigureAwait(false);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(LongestSilence);
            try
            {
                await members.WaitForAsync(v => !IsIn(v) || v.LeaderId != 0, patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task AskUntilInAsync(CancellationToken ct)
    {
        TimeSpan pause = FirstPause;
        string lastReason = "";
        while (!IsHeard(members.View))
        {
            try
            {
                await AskAsync(ct).ConfigureAwait(false);
                await UntilHeardAsync(ct).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is not ObjectDisposedException)
            {
                string reason = e is RpcException rpc ? rpc.Status.Detail : e.Message;
                if (reason != lastReason)
                {
                    lastReason = reason;
                    LogNotYet(logger, reason);
                }
            }
            await Task.Delay(pause, time, ct).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private bool IsIn(MembersView view) => view.Find(view.SelfId)?.Address == ownAddress;

    private bool IsHeard(MembersView view) => IsIn(view) && view.LeaderId != 0;

    private async Task UntilHeardAsync(CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(CallTimeout);
        try
        {
            await members.WaitForAsync(IsHeard, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException("the leader took this manager in and has not sent it anything yet");
        }
    }

    private async Task AskAsync(CancellationToken ct)
    {
        string address = pickManager() ?? throw new FormatException("no other manager's address is known; name one with --join-addr");
        using Grpc.Net.Client.GrpcChannel channel = ManagerChannel.As(identity, address);
        var headers = SkepMark.NewHeaders();
        headers.Add(RaftMembershipService.MemberIdHeader, members.View.SelfId.ToString("x", CultureInfo.InvariantCulture));
        var options = new CallOptions(headers, TimeProvider.System.GetUtcNow().Add(CallTimeout).UtcDateTime, ct);
        await new RaftMembership.RaftMembershipClient(channel).JoinAsync(new JoinRequest { Addr = ownAddress }, options);
    }

    [LoggerMessage(EventId = 2211, Level = LogLevel.Warning, Message = "This manager takes no part with the others: {Reason}; it goes on trying")]
    private static partial void LogNotYet(ILogger logger, string reason);
}
