namespace Skep.Manager.Certificates;

/// <summary>
/// Those who wait for a certificate to be issued, by node. Enter first and look at the store then: a signature in between
/// is seen by one of the two.
/// </summary>
/// <param name="capacity">How many may wait at once.</param>
internal sealed class CertificateWaiters(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (TaskCompletionSource Signal, int Waiting)> _byNode = new(StringComparer.Ordinal);
    private int _waiting;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting;
            }
        }
    }

    /// <summary>Null when too many wait already.</summary>
    public Waiter? Enter(string nodeId)
    {
        lock (_gate)
        {
            if (_waiting >= capacity)
            {
                return null;
            }

            _waiting++;
            return new Waiter(this, nodeId, Join(nodeId));
        }
    }

    /// <summary>Lets those who wait for this node look again.</summary>
    public void Signal(string nodeId)
    {
        lock (_gate)
        {
            if (_byNode.TryGetValue(nodeId, out var entry))
            {
                entry.Signal.TrySetResult();
                _byNode[nodeId] = (NewSignal(), entry.Waiting);
            }
        }
    }

    /// <summary>Lets everybody look again.</summary>
    public void SignalAll()
    {
        lock (_gate)
        {
            foreach (var nodeId in _byNode.Keys.ToList())
            {
                Signal(nodeId);
            }
        }
    }

    private Task Join(string nodeId)
    {
        var (signal, waiting) = _byNode.TryGetValue(nodeId, out var known) ? known : (NewSignal(), 0);
        _byNode[nodeId] = (signal, waiting + 1);
        return signal.Task;
    }

    private void Leave(string nodeId)
    {
        lock (_gate)
        {
            _waiting--;
            var entry = _byNode[nodeId];
            if (entry.Waiting == 1)
            {
                _byNode.Remove(nodeId);
            }
            else
            {
                _byNode[nodeId] = (entry.Signal, entry.Waiting - 1);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public sealed class Waiter(CertificateWaiters owner, string nodeId, Task changed) : IDisposable
    {
        private Task _changed = changed;

        /// <summary>Completes at the next change after the last look.</summary>
        public async Task ChangedAsync(TimeProvider time, TimeSpan timeout, CancellationToken ct)
        {
            await _changed.WaitAsync(timeout, time, ct);
            lock (owner._gate)
            {
                _changed = owner._byNode[nodeId].Signal.Task;
            }
        }

        public void Dispose() => owner.Leave(nodeId);
    }
}
