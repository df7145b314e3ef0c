using Docker.Swarmkit.V1;
using Skep.Manager.Dispatch.Feeds;

namespace Skep.Manager.Logs;

/// <summary>One agent's stream of subscriptions: it is told the difference between what it was told and what is wanted now.</summary>
internal sealed class LogListener(string nodeId)
{
    private readonly Signal changed = new();
    private readonly Dictionary<string, LogSubscription> told = new(StringComparer.Ordinal);

    public string NodeId => nodeId;

    public void Wake() => changed.Set();

    public async Task WaitAsync(CancellationToken ct) => await changed.WaitAsync(ct).ConfigureAwait(false);

    /// <summary>What the agent must be told, given every subscription that is open.</summary>
    public List<SubscriptionMessage> Next(IReadOnlyCollection<LogSubscription> open)
    {
        var messages = new List<SubscriptionMessage>();
        foreach (LogSubscription subscription in open)
        {
            if (subscription.Awaits(nodeId) && told.TryAdd(subscription.Id, subscription))
            {
                messages.Add(subscription.Message);
            }
        }
        foreach (LogSubscription closed in told.Values.Except(open).ToList())
        {
            told.Remove(closed.Id);
            SubscriptionMessage message = closed.Message.Clone();
            message.Close = true;
            messages.Add(message);
        }
        return messages;
    }
}
