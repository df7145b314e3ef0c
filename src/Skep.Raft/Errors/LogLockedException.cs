namespace Skep.Raft;

/// <summary>Another process (or another log in this one) has the folder open.</summary>
public sealed class LogLockedException : RaftLogException
{
    internal LogLockedException(string folder, string holder)
        : base($"the raft log in {folder} is in use by {holder}: stop that process first, or use another state directory")
    {
    }
}
