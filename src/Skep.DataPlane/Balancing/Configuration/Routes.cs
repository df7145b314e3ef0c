using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>Which port and which host on its link leads to an address: a handful of links, then the gateways.</summary>
internal sealed class Routes(IReadOnlyList<InterfaceConfig> interfaces)
{
    /// <summary>Finds the way.</summary>
    /// <returns>The port and the host to hand packets to; null where no link holds the address and no gateway is known.</returns>
    public (int Port, IpAddr NextHop)? Find(IpAddr destination)
    {
        (int Port, int Bits) best = (-1, -1);
        for (int port = 0; port < interfaces.Count; port++)
        {
            IReadOnlyList<LinkAddress> links = interfaces[port].Addresses;
            for (int i = 0; i < links.Count; i++)
            {
                LinkAddress link = links[i];
                if (link.PrefixBits > best.Bits && link.Contains(destination))
                {
                    best = (port, link.PrefixBits);
                }
            }
        }
        return best.Port >= 0 ? (best.Port, destination) : FindGateway(destination.IsV4);
    }

    /// <summary>The first gateway of a family.</summary>
    public (int Port, IpAddr NextHop)? FindGateway(bool v4)
    {
        for (int port = 0; port < interfaces.Count; port++)
        {
            if ((v4 ? interfaces[port].GatewayV4 : interfaces[port].GatewayV6) is { } gateway)
            {
                return (port, gateway);
            }
        }
        return null;
    }

    /// <summary>Our address from which to ask for a host on a port's link.</summary>
    public IpAddr? SourceFor(int port, IpAddr neighbor)
    {
        IReadOnlyList<LinkAddress> links = interfaces[port].Addresses;
        for (int i = 0; i < links.Count; i++)
        {
            if (links[i].Contains(neighbor))
            {
                return links[i].Address;
            }
        }
        return null;
    }

    /// <summary>Whether an address is ours on a port.</summary>
    public bool IsOurs(int port, IpAddr address)
    {
        IReadOnlyList<LinkAddress> links = interfaces[port].Addresses;
        for (int i = 0; i < links.Count; i++)
        {
            if (links[i].Address == address)
            {
                return true;
            }
        }
        return false;
    }
}
