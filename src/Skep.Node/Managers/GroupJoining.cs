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
/// moved says so. It asks any manager it knows, which hands the call on to the leader, until the group's own log says that it is done.
/// </summary>
internal sealed partial class GroupJoining(
    StoreMembers members, NodeIdentitySource identity, string ownAddress, Func<string?> pickManager, TimeProvider time, ILogger<GroupJoining> logger)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken ct)
    {
        // One that is in the group already hears from its leader first where it is.
        TimeSpan pause = FirstPause;
        string lastReason = "";
        while (!IsIn(members.View))
        {
            try
            {
                await AskAsync(ct).ConfigureAwait(false);
                await UntilInAsync(ct).ConfigureAwait(false);
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is RpcException or FormatException or TimeoutException)
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

    private async Task UntilInAsync(CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(CallTimeout);
        try
        {
            await members.WaitForAsync(IsIn, patience.Token).ConfigureAwait(false);
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

    [LoggerMessage(EventId = 2211, Level = LogLevel.Warning, Message = "This manager is not among the others yet: {Reason}; it goes on trying")]
    private static partial void LogNotYet(ILogger logger, string reason);
}
