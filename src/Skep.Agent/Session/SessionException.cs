namespace Skep.Agent.Session;

/// <summary>A session ended; the agent registers again.</summary>
internal sealed class SessionException(string message) : Exception(message);
