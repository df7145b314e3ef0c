using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>A transaction was not done, none of it: one of its operations could not be.</summary>
public sealed class MultiException : CoordinationException
{
    /// <summary>Makes the exception without a reason.</summary>
    public MultiException() : this("the transaction was not done") { }

    /// <param name="message">What was wrong.</param>
    public MultiException(string message) : base(message) { }

    /// <param name="message">What was wrong.</param>
    /// <param name="innerException">What caused it.</param>
    public MultiException(string message, Exception innerException) : base(message, innerException) { }

    internal MultiException(int failedIndex, OpCode failedOperation, ErrorCode error, string path)
        : base(error, path, $"nothing of the transaction was done: operation {failedIndex}: {ErrorSentences.For(error, failedOperation, path)}")
    {
        FailedIndex = failedIndex;
        FailedOperation = failedOperation;
    }

    /// <summary>Which operation could not be done, counted from 0 in the order they were added.</summary>
    public int FailedIndex { get; }

    /// <summary>What that operation was.</summary>
    public OpCode FailedOperation { get; }
}
