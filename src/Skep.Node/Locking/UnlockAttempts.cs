using Skep.Identity.Keys;
using Skep.Identity.Tokens;

namespace Skep.Node.Locking;

/// <summary>What became of an attempt.</summary>
internal enum UnlockOutcome
{
    Unlocked,
    WrongKey,
    NoKey,
    TooSoon,
}

/// <summary>
/// Tries unlock keys on a key file: one at a time, and a second after each wrong one, so that nobody who may open the socket gets
/// far by guessing.
/// </summary>
/// <param name="open">The key file under a key; it may be the wrong one.</param>
/// <param name="time">Tells when the next attempt may be made.</param>
internal sealed class UnlockAttempts(Func<byte[], NodeKeyFile> open, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly TaskCompletionSource<NodeKeyFile> unlocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? lastWrong;

    /// <summary>Ends with the open key file at the first right key.</summary>
    public Task<NodeKeyFile> Unlocked => unlocked.Task;

    public UnlockOutcome Try(string text)
    {
        byte[] key;
        try
        {
            key = UnlockKey.Parse(text);
        }
        catch (FormatException)
        {
            return UnlockOutcome.NoKey;
        }
        lock (gate)
        {
            if (lastWrong is { } last && time.GetElapsedTime(last) < Pause)
            {
                return UnlockOutcome.TooSoon;
            }
            NodeKeyFile file = open(key);
            if (file.IsLocked)
            {
                lastWrong = time.GetTimestamp();
                return UnlockOutcome.WrongKey;
            }
            unlocked.TrySetResult(file);
            return UnlockOutcome.Unlocked;
        }
    }
}
