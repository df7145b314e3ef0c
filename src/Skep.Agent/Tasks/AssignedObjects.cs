using System.Collections.Concurrent;
using Docker.Swarmkit.V1;

namespace Skep.Agent.Tasks;

/// <summary>The secrets and configs the managers have sent along with this node's tasks. In memory only.</summary>
internal sealed class AssignedObjects
{
    private readonly ConcurrentDictionary<string, Secret> _secrets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Config> _configs = new(StringComparer.Ordinal);

    private volatile bool _complete;

    /// <summary>Whether a manager has said all there is in this life of the node; what is not here before that may still come.</summary>
    public bool AreComplete => _complete;

    /// <summary>Takes what the message brings; a complete one replaces all.</summary>
    public void Apply(AssignmentsMessage message)
    {
        if (message.Type == AssignmentsMessage.Types.Type.Complete)
        {
            var given = message.Changes.Select(c => c.Assignment).Where(a => a is not null).ToList();
            KeepOnly(_secrets, [.. given.Where(a => a.Secret is not null).Select(a => a.Secret.Id)]);
            KeepOnly(_configs, [.. given.Where(a => a.Config is not null).Select(a => a.Config.Id)]);
        }

        foreach (var change in message.Changes)
        {
            var remove = change.Action == AssignmentChange.Types.AssignmentAction.Remove;
            if (change.Assignment?.Secret is { } secret)
            {
                Put(_secrets, secret.Id, secret, remove);
            }
            else if (change.Assignment?.Config is { } config)
            {
                Put(_configs, config.Id, config, remove);
            }
        }

        _complete |= message.Type == AssignmentsMessage.Types.Type.Complete;
    }

    /// <summary>The secret as the task has it: one that a driver made for this task alone goes by both ids.</summary>
    public Secret? Secret(string taskId, string id) => _secrets.GetValueOrDefault($"{taskId}.{id}") ?? _secrets.GetValueOrDefault(id);

    public Config? Config(string id) => _configs.GetValueOrDefault(id);

    private static void KeepOnly<T>(ConcurrentDictionary<string, T> objects, HashSet<string> ids)
    {
        foreach (var id in objects.Keys.Where(id => !ids.Contains(id)))
        {
            objects.TryRemove(id, out _);
        }
    }

    private static void Put<T>(ConcurrentDictionary<string, T> objects, string id, T value, bool remove)
    {
        if (remove)
        {
            objects.TryRemove(id, out _);
        }
        else
        {
            objects[id] = value;
        }
    }
}
