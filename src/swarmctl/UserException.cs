namespace Swarmctl;

/// <summary>What the user reads behind <c>Error: </c>.</summary>
internal sealed class UserException(string message) : Exception(message);
