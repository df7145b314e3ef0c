using Grpc.Core;
using Skep.DataPlane.Capture;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Packets;
using Skep.V1;

namespace Skep.DataPlane.Control;

/// <summary>What a caller wants to capture, checked.</summary>
internal static class CaptureRequests
{
    private const int LongestFrameBytes = 9_216;

    public static (CaptureFilter Filter, int MaxFrameBytes) Read(CaptureRequest request, IReadOnlyList<OpenPort> ports)
    {
        int? port = null;
        if (request.Interface.Length > 0)
        {
            port = ports.Select(static p => p.Name).ToList().IndexOf(request.Interface);
            Require(port >= 0, $"there is no port '{request.Interface}' here: expected {string.Join(" or ", ports.Select(static p => p.Name))}");
        }
        byte? protocol = request.Protocol switch
        {
            "" or "arp" => null,
            "tcp" => IpProtocol.Tcp,
            "udp" => IpProtocol.Udp,
            "icmp" => IpProtocol.Icmp,
            _ => throw Bad($"protocol '{request.Protocol}': expected tcp, udp, icmp or arp"),
        };
        Require(request.Port <= ushort.MaxValue, $"port {request.Port}: expected 1 to 65535");
        Require(request.MaxFrameBytes <= LongestFrameBytes, $"{request.MaxFrameBytes} bytes of a frame: {LongestFrameBytes} at most");
        IpAddr? host = null;
        try
        {
            host = request.Host.Length > 0 ? IpAddr.Parse(request.Host) : null;
        }
        catch (FormatException e)
        {
            throw Bad(e.Message);
        }
        return (
            new CaptureFilter(host, request.Port == 0 ? null : (ushort)request.Port, protocol, request.Protocol == "arp", port),
            request.MaxFrameBytes == 0 ? LongestFrameBytes : (int)request.MaxFrameBytes);
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw Bad(otherwise);
        }
    }

    private static RpcException Bad(string message) => new(new Status(StatusCode.InvalidArgument, message));
}
