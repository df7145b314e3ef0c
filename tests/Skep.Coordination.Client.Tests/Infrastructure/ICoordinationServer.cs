namespace Skep.Coordination.Client.Tests.Infrastructure;

/// <summary>What the suite holds the client against: Debian's ZooKeeper, or whatever the environment names.</summary>
public interface ICoordinationServer : IDisposable
{
    /// <summary>host:port, several by commas.</summary>
    string ConnectString { get; }
}
