using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>A request was not done, and the message says why.</summary>
public class CoordinationException : Exception
{
    /// <summary>Makes the exception without a reason.</summary>
    public CoordinationException() : this("the request was not done") { }

    /// <param name="message">What was wrong.</param>
    public CoordinationException(string message) : this(ErrorCode.SystemError, "", message) { }

    /// <param name="message">What was wrong.</param>
    /// <param name="innerException">What caused it.</param>
    public CoordinationException(string message, Exception innerException) : this(ErrorCode.SystemError, "", message, innerException) { }

    /// <param name="errorCode">The protocol's number.</param>
    /// <param name="path">The znode asked for; empty where none was.</param>
    /// <param name="message">What was wrong.</param>
    /// <param name="innerException">What caused it.</param>
    public CoordinationException(ErrorCode errorCode, string path, string message, Exception? innerException = null) : base(message, innerException)
    {
        ErrorCode = errorCode;
        Path = path;
    }

    /// <summary>The protocol's number for what was wrong.</summary>
    public ErrorCode ErrorCode { get; }

    /// <summary>The znode asked for; empty where none was.</summary>
    public string Path { get; }
}

/// <summary>The connection was lost before the answer came. A write may have been done or not: look before doing it again.</summary>
public sealed class ConnectionLossException : CoordinationException
{
    /// <summary>Makes the exception without a reason.</summary>
    public ConnectionLossException() : this("the connection was lost; whether the request was done is not known") { }

    /// <param name="message">What was lost.</param>
    public ConnectionLossException(string message) : base(ErrorCode.ConnectionLoss, "", message) { }

    /// <param name="message">What was lost.</param>
    /// <param name="innerException">What caused it.</param>
    public ConnectionLossException(string message, Exception? innerException) : base(ErrorCode.ConnectionLoss, "", message, innerException) { }

    internal ConnectionLossException(string path, string message, Exception? cause) : base(ErrorCode.ConnectionLoss, path, message, cause) { }
}

/// <summary>The session is over: its ephemeral nodes and watches are gone, and its client answers nothing else any more.</summary>
public sealed class SessionExpiredException : CoordinationException
{
    /// <summary>Makes the exception without more.</summary>
    public SessionExpiredException() : this("the session has expired: its ephemeral nodes and watches are gone; connect a new client") { }

    /// <param name="message">What was lost.</param>
    public SessionExpiredException(string message) : base(ErrorCode.SessionExpired, "", message) { }

    /// <param name="message">What was lost.</param>
    /// <param name="innerException">What caused it.</param>
    public SessionExpiredException(string message, Exception innerException) : base(ErrorCode.SessionExpired, "", message, innerException) { }
}

/// <summary>A stream of watched events was read too slowly and has ended: events were lost. Open another and read anew what is watched.</summary>
public sealed class WatchOverflowException : Exception
{
    /// <summary>Makes the exception without more.</summary>
    public WatchOverflowException() : this("events were lost: they came faster than they were read") { }

    /// <param name="message">What was lost.</param>
    public WatchOverflowException(string message) : base(message) { }

    /// <param name="message">What was lost.</param>
    /// <param name="innerException">What caused it.</param>
    public WatchOverflowException(string message, Exception innerException) : base(message, innerException) { }
}
