namespace Skep.Identity.Keys;

/// <summary>The manager is locked, and the unlock key was not given or is not the right one.</summary>
public sealed class KeyLockedException : Exception
{
    private const string Text =
        "swarm is encrypted and needs to be unlocked before it can be used: give the manager's unlock key (SWMKEY-1-…)";

    /// <summary>No key was given.</summary>
    public KeyLockedException()
        : base(Text)
    {
    }

    /// <summary>The key that was given is the wrong one.</summary>
    public KeyLockedException(Exception cause)
        : base(Text, cause)
    {
    }

    /// <summary>For serializers; prefer the others.</summary>
    public KeyLockedException(string message)
        : base(message)
    {
    }
}
