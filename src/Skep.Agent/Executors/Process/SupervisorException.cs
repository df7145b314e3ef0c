using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>The supervisor refused a request; the message says why, in words for users.</summary>
internal sealed class SupervisorException(ReplyCode code, string message) : Exception(message)
{
    public ReplyCode Code { get; } = code;
}

/// <summary>No supervisor can be had: its program is missing, or it cannot start or be reached.</summary>
internal sealed class SupervisorUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The connection ended before the answer came: the request may or may not have been carried out.</summary>
internal sealed class SupervisorGoneException() : Exception("the connection to the supervisor ended");
