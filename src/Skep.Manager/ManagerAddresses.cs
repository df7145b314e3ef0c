using Grpc.Core;

namespace Skep.Manager;

/// <summary>How others reach this manager.</summary>
/// <param name="Advertised">host:port as shown in the cluster; asked each time.</param>
/// <param name="SeenBy">host:port as the caller of a call can reach it: what is advertised, else the local address of that very connection.</param>
public sealed record ManagerAddresses(Func<string> Advertised, Func<ServerCallContext, string> SeenBy);
