using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Store;
using Extension = Docker.Swarmkit.V1.Extension;

namespace Skep.Manager.Watch;

/// <summary>Which changes a watch shows: those that fit any of its entries. Pure.</summary>
internal sealed class WatchSelector
{
    private const int MaxEntries = 1_000;
    private const int AllActions = (int)(WatchActionKind.WatchActionCreate | WatchActionKind.WatchActionUpdate | WatchActionKind.WatchActionRemove);

    private readonly List<Entry> entries = [];

    /// <exception cref="ArgumentException">An entry cannot be understood; the message says which and why.</exception>
    public WatchSelector(IReadOnlyList<WatchRequest.Types.WatchEntry> wanted)
    {
        if (wanted.Count is 0 or > MaxEntries)
        {
            throw new ArgumentException($"a watch has 1 to {MaxEntries} entries, not {wanted.Count}; each names a kind of object");
        }
        foreach (WatchRequest.Types.WatchEntry entry in wanted)
        {
            if (entry.Kind.Length == 0)
            {
                throw new ArgumentException("no kind of object specified");
            }
            if (((int)entry.Action & ~AllActions) != 0)
            {
                throw new ArgumentException("unrecognized action");
            }
            entries.Add(new(entry.Kind, (int)entry.Action == 0 ? AllActions : (int)entry.Action, WatchFilters.Of(entry)));
        }
    }

    /// <summary>The action of a change, as the wire says it.</summary>
    public static WatchActionKind ActionOf(StoreChangeKind kind) => kind switch
    {
        StoreChangeKind.Create => WatchActionKind.WatchActionCreate,
        StoreChangeKind.Update => WatchActionKind.WatchActionUpdate,
        _ => WatchActionKind.WatchActionRemove,
    };

    public bool Fits(StoreChange change)
    {
        int action = (int)ActionOf(change.Kind);
        foreach (Entry entry in entries)
        {
            if ((entry.Actions & action) != 0 && IsKind(entry.Kind, change.Object) && entry.Filters.TrueForAll(f => f(change.Object)))
            {
                return true;
            }
        }
        return false;
    }

    // A kind that is none of the store's own is the name of an extension, and means its resources.
    private static bool IsKind(string kind, IStoreObject o) => kind switch
    {
        "node" => o is Node,
        "service" => o is Service,
        "network" => o is Network,
        "task" => o is SwarmTask,
        "cluster" => o is Cluster,
        "secret" => o is Secret,
        "config" => o is Config,
        "extension" => o is Extension,
        "volume" => o is Volume,
        "resource" => o is Resource,
        _ => o is Resource resource && resource.Kind == kind,
    };

    private sealed record Entry(string Kind, int Actions, List<Predicate<IStoreObject>> Filters);
}
