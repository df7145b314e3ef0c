using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Skep.Node.Managers;

/// <summary>Addresses of this manager that others can use, where none is advertised.</summary>
internal static class LocalAddress
{
    /// <summary>What the cluster is told: the listener's own address, else the machine's first address that is not its loopback.</summary>
    public static string Advertise(IPEndPoint listener)
    {
        if (!listener.Address.Equals(IPAddress.Any) && !listener.Address.Equals(IPAddress.IPv6Any))
        {
            return listener.ToString();
        }
        IPAddress? first = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork);
        return new IPEndPoint(first ?? IPAddress.Loopback, listener.Port).ToString();
    }

    /// <summary>The local address of the caller's connection, never 0.0.0.0; the fallback for callers on the control socket.</summary>
    public static string Of(ServerCallContext context, string fallback)
    {
        ConnectionInfo connection = context.GetHttpContext().Connection;
        return connection.LocalIpAddress is { } ip && connection.LocalPort > 0
            ? new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, connection.LocalPort).ToString()
            : fallback;
    }
}
