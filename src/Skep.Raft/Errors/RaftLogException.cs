namespace Skep.Raft;

/// <summary>Something is wrong with the durable log of a Raft group; the derived type says what.</summary>
public abstract class RaftLogException : Exception
{
    private protected RaftLogException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
