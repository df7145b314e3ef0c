using System.Net;

namespace Skep.Agent.Ingress;

/// <summary>The local tasks behind one published port, taken in turn. Safe to use from any thread.</summary>
internal sealed class Backends
{
    private readonly Lock _gate = new();
    private volatile IReadOnlyList<(string TaskId, IPEndPoint Address)> _all = [];
    private int _turn = -1;

    public bool IsEmpty => _all.Count == 0;

    public IEnumerable<string> TaskIds => _all.Select(b => b.TaskId);

    /// <summary>Adds the task, or moves it to another address.</summary>
    public void Set(string taskId, IPEndPoint address)
    {
        lock (_gate)
        {
            _all = [.. _all.Where(b => b.TaskId != taskId), (taskId, address)];
        }
    }

    public bool Remove(string taskId)
    {
        lock (_gate)
        {
            var rest = _all.Where(b => b.TaskId != taskId).ToList();
            var found = rest.Count < _all.Count;
            _all = rest;
            return found;
        }
    }

    /// <summary>All of them, beginning with the one whose turn it is: whoever gets no answer goes on to the next.</summary>
    public IReadOnlyList<IPEndPoint> InTurn()
    {
        var all = _all;
        if (all.Count == 0)
        {
            return [];
        }

        var first = (int)((uint)Interlocked.Increment(ref _turn) % (uint)all.Count);
        return [.. Enumerable.Range(0, all.Count).Select(i => all[(first + i) % all.Count].Address)];
    }
}
