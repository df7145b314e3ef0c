namespace Skep.Raft;

/// <summary>This member lost the lead, or stopped, before the command's fate was known: it may be applied yet, or never.</summary>
public sealed class ProposalLostException(string why) : Exception($"whether the command was taken is not known: {why}");
