namespace Skep.Acceptance.Coordination;

/// <summary>Servers that speak ZooKeeper's protocol: real ones, or ours.</summary>
internal interface ICoordinationServers : IAsyncDisposable
{
    /// <summary>Addresses by commas, as clients take them.</summary>
    string Connect { get; }

    /// <summary>What their audit logs hold, without the times; nothing where they were not started to keep any.</summary>
    Task<IReadOnlyList<string>> AuditAsync();

    /// <summary>What they said, for the message of a test that failed.</summary>
    Task<string> LogsAsync();
}
