using System.Runtime.CompilerServices;
using System.Text;
using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>One leader among candidates, in the order of their candidature.</summary>
/// <param name="client">Whose session stands for the candidate.</param>
/// <param name="path">The election: a folder, made when it is needed.</param>
/// <param name="id">What the others are told of this candidate.</param>
/// <param name="grace">How long a lost connection may last before <see cref="LockHandle.LostToken"/> says that another may lead.</param>
public sealed class LeaderElection(CoordinationClient client, string path, string id, TimeSpan? grace = null)
{
    private readonly WaitingLine _line = new(client, path, grace);

    /// <summary>Waits to become the leader. Disposing what it returns resigns.</summary>
    public async Task<LockHandle> CampaignAsync(CancellationToken ct = default) =>
        (await _line.EnterAsync("candidate-", Encoding.UTF8.GetBytes(id), WaitingLine.Predecessor, null, ct))!;

    /// <summary>The leader's id; null where there is none.</summary>
    public async Task<string?> GetLeaderAsync(CancellationToken ct = default)
    {
        while (true)
        {
            try
            {
                if ((await _line.ReadAsync(ct)) is not [string first, ..])
                {
                    return null;
                }
                return Encoding.UTF8.GetString((await client.GetDataAsync(OwnNode.Join(path, first), ct)).Data.Span);
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
            {
                if (e.Path == path)
                {
                    return null;
                }
            }
        }
    }

    /// <summary>The leader's id now (null: none), and each time that it changes.</summary>
    public async IAsyncEnumerable<string?> ObserveAsync([EnumeratorCancellation] CancellationToken ct = default)
    {
        string? told = null;
        bool isFirst = true;
        while (true)
        {
            (string? leader, Func<Task> changed) = await LookAsync(ct);
            if (isFirst || leader != told)
            {
                yield return leader;
            }
            (told, isFirst) = (leader, false);
            await changed();
        }
    }

    private async Task<(string? Leader, Func<Task> Changed)> LookAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                if (await _line.ReadAsync(ct) is [string first, ..])
                {
                    // Only the leader's own node is watched: candidates come and go without waking those who look on.
                    Watched<NodeData> leader = await client.GetDataAndWatchAsync(OwnNode.Join(path, first), ct);
                    return (Encoding.UTF8.GetString(leader.Value.Data.Span), () => WaitAsync(leader));
                }
                Watched<NodeChildren> candidates = await client.GetChildrenAndWatchAsync(path, ct);
                if (candidates.Value.Children.Count == 0)
                {
                    return (null, () => WaitAsync(candidates));
                }
                candidates.Dispose();
            }
            catch (CoordinationException e) when (e.ErrorCode == ErrorCode.NoNode)
            {
                if (e.Path == path)
                {
                    await OwnNode.EnsureAsync(client, path, ct);
                }
            }
        }

        async Task WaitAsync<T>(Watched<T> watched)
        {
            using (watched)
            {
                await watched.Changed.WaitAsync(ct);
            }
        }
    }
}
