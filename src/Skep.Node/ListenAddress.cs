using System.Globalization;
using System.Net;

namespace Skep.Node;

/// <summary>host:port to listen on; an empty host is every address.</summary>
internal static class ListenAddress
{
    /// <exception cref="NodeStartException">It is no such address.</exception>
    public static IPEndPoint Parse(string text, string flag)
    {
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon].TrimStart('[').TrimEnd(']');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
        {
            throw new NodeStartException($"{flag} {text}: expected host:port, for instance 0.0.0.0:4242");
        }
        if (host.Length == 0)
        {
            return new IPEndPoint(IPAddress.IPv6Any, port);
        }
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return new IPEndPoint(IPAddress.Loopback, port);
        }
        return IPAddress.TryParse(host, out IPAddress? ip)
            ? new IPEndPoint(ip, port)
            : throw new NodeStartException($"{flag} {text}: {host} is no address of this machine; listen on an IP address, and give names with --advertise-remote-api");
    }

    /// <summary>How this machine itself reaches a listener.</summary>
    public static string FromHere(IPEndPoint listener)
    {
        IPAddress ip = listener.Address.Equals(IPAddress.Any) || listener.Address.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : listener.Address;
        return new IPEndPoint(ip, listener.Port).ToString();
    }
}
