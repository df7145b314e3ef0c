using System.Net.Sockets;

namespace Skep.Identity.Tls;

/// <summary>Connections whose other side may be cut off without a word.</summary>
public static class SilentPeers
{
    // Linux, tcp(7): TCP_USER_TIMEOUT.
    private const int TcpUserTimeoutOption = 18;
    private const int SilenceMs = 5_000;

    /// <summary>Lets a connection fail within seconds when the other side is cut off, not within the kernel's quarter of an hour.</summary>
    public static void Fail(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        socket.NoDelay = true;
        socket.SetRawSocketOption((int)ProtocolType.Tcp, TcpUserTimeoutOption, BitConverter.GetBytes(SilenceMs));
    }
}
