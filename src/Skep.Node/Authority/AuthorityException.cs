namespace Skep.Node.Authority;

/// <summary>The client's bytes are no HTTP/2 that the control socket accepts; the connection ends.</summary>
internal sealed class AuthorityException(string message) : Exception(message);
