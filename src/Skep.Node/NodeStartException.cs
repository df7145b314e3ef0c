namespace Skep.Node;

/// <summary>The node cannot start, for a reason that its user can mend; the message says which and how.</summary>
public sealed class NodeStartException(string message, Exception? inner = null) : Exception(message, inner);
