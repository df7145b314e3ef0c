namespace Skep.Store.Tables;

/// <summary>The types that the store keeps; the values index <see cref="StoreTables"/>.</summary>
internal enum TableKind
{
    Node,
    Service,
    Task,
    Network,
    Cluster,
    Secret,
    Config,
    Resource,
    Extension,
    Volume,
}
