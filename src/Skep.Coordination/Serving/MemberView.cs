using Skep.Coordination.Replication;
using Skep.Coordination.Tree;
using Skep.Coordination.Watches;

namespace Skep.Coordination.Serving;

/// <summary>A member as four-letter words and metrics see it; only to be used while its lock is held.</summary>
internal sealed record MemberView(
    ZnodeTree Tree, WatchTable Watches, IReadOnlyCollection<Connection> Connections, Standing Standing, MemberFigures Figures, bool IsCutOff);
