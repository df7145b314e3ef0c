using Docker.Swarmkit.V1;
using Skep.Identity.Files;

namespace Skep.Agent.Session;

/// <summary>
/// The managers this node may turn to. A session message replaces the list; what calls show of a manager moves the
/// chance with which it is chosen. Safe to use from any thread. Source of the weights: moby/swarmkit remotes/remotes.go.
/// </summary>
public sealed class Remotes
{
    /// <summary>What a call that succeeded adds, and the weight a manager starts with.</summary>
    public const int DefaultWeight = 10;

    private const int MinWeight = -50;
    private const int MaxWeight = 50;
    private const int MaxManagers = 1000;

    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly Action<IReadOnlyList<KnownManager>>? _save;
    private readonly Dictionary<KnownManager, int> _weights = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts with the managers given.</summary>
    /// <param name="initial">From <c>state.json</c> or <c>--join-addr</c>.</param>
    /// <param name="random">Draws the manager; seeded.</param>
    /// <param name="save">Called with the whole list whenever it has changed, to write it down; must not throw.</param>
    public Remotes(IEnumerable<KnownManager> initial, Random random, Action<IReadOnlyList<KnownManager>>? save = null)
    {
        ArgumentNullException.ThrowIfNull(initial);
        _random = random;
        _save = save;
        foreach (var manager in initial)
        {
            _weights[manager] = DefaultWeight;
        }
    }

    /// <summary>The managers known now.</summary>
    public IReadOnlyList<KnownManager> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _weights.Keys];
            }
        }
    }

    /// <summary>Replaces the list by the one a manager sent. An empty list is kept out: it would leave no way back.</summary>
    public void Replace(IEnumerable<WeightedPeer> managers)
    {
        ArgumentNullException.ThrowIfNull(managers);
        var seen = managers.Take(MaxManagers)
            .Where(m => !string.IsNullOrEmpty(m.Peer?.Addr))
            .Select(m => (Manager: new KnownManager(m.Peer.NodeId, m.Peer.Addr), Weight: (int)Math.Clamp(m.Weight, MinWeight, MaxWeight)))
            .ToList();
        if (seen.Count == 0)
        {
            return;
        }

        Change(() =>
        {
            var changed = false;
            foreach (var gone in _weights.Keys.Except(seen.Select(s => s.Manager)).ToList())
            {
                changed |= _weights.Remove(gone);
            }

            foreach (var (manager, weight) in seen)
            {
                changed |= !_weights.TryGetValue(manager, out var before);
                _weights[manager] = Math.Max(before, weight);
            }

            return changed;
        });
    }

    /// <summary>Adds a manager that became known otherwise, such as this very node.</summary>
    public void Add(KnownManager manager)
    {
        ArgumentNullException.ThrowIfNull(manager);
        Change(() => _weights.TryAdd(manager, DefaultWeight));
    }

    /// <summary>Takes a manager off the list.</summary>
    public void Remove(KnownManager manager) => Change(() => _weights.Remove(manager));

    /// <summary>Notes how a call to the manager went; does nothing if it is no longer known.</summary>
    public void Observe(KnownManager manager, bool succeeded)
    {
        lock (_gate)
        {
            if (_weights.TryGetValue(manager, out var weight))
            {
                _weights[manager] = Math.Clamp(weight + (succeeded ? DefaultWeight : -DefaultWeight), MinWeight, MaxWeight);
            }
        }
    }

    /// <summary>Draws a manager, the better ones more often; null when none is known.</summary>
    public KnownManager? Select()
    {
        lock (_gate)
        {
            if (_weights.Count == 0)
            {
                return null;
            }

            // Shifted so that the worst still has a chance: it may be the only one that lives.
            var ticket = _random.Next(_weights.Values.Sum(w => w - MinWeight + 1));
            foreach (var (manager, weight) in _weights)
            {
                ticket -= weight - MinWeight + 1;
                if (ticket < 0)
                {
                    return manager;
                }
            }

            return _weights.Keys.Last();
        }
    }

    /// <summary>Completes at the next change of the list.</summary>
    public Task NextChangeAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _changed.Task.WaitAsync(cancellationToken);
        }
    }

    private void Change(Func<bool> change)
    {
        TaskCompletionSource? signal = null;
        lock (_gate)
        {
            if (change())
            {
                _save?.Invoke([.. _weights.Keys]);
                signal = _changed;
                _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        signal?.SetResult();
    }
}
