using Skep.Identity.Certificates;

namespace Skep.Identity;

/// <summary>
/// Who this node is right now. Renewals and changes of root are put in here, and every TLS handshake from then on uses
/// them; connections that are open stay as they are.
/// </summary>
public sealed class NodeIdentitySource(NodeIdentity initial)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = NewSignal();
    private volatile NodeIdentity _current = initial ?? throw new ArgumentNullException(nameof(initial));

    /// <summary>The identity that counts now.</summary>
    public NodeIdentity Current => _current;

    /// <summary>Puts another identity in force.</summary>
    public void Replace(NodeIdentity next)
    {
        ArgumentNullException.ThrowIfNull(next);
        TaskCompletionSource changed;
        lock (_gate)
        {
            _current = next;
            changed = _changed;
            _changed = NewSignal();
        }

        changed.SetResult();
    }

    /// <summary>Puts another root in force under the same certificate.</summary>
    /// <exception cref="CertificateException">The certificate does not lead to that root.</exception>
    public void ReplaceRoot(RootCa root, DateTimeOffset now) => Replace(Current.WithRoot(root, now));

    /// <summary>Waits until the identity is another one than <paramref name="known"/>, and returns it.</summary>
    public async Task<NodeIdentity> NextAsync(NodeIdentity known, CancellationToken ct)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (!ReferenceEquals(_current, known))
                {
                    return _current;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(ct);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
