using System.Globalization;

namespace Skep.Coordination.Client;

/// <summary>ZooKeeper's connect strings: servers with commas between them, and a chroot after the first slash.</summary>
internal static class ConnectString
{
    public static CoordinationClientOptions Parse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string chroot = slash < 0 ? "" : text[slash..];
        chroot = chroot == "/" ? "" : chroot;
        if (chroot.EndsWith('/') || chroot.Contains("//", StringComparison.Ordinal))
        {
            throw new FormatException($"the chroot '{chroot}' is no path: it must not end in a slash or have two in a row");
        }
        string[] servers = (slash < 0 ? text : text[..slash]).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return servers.Length == 0
            ? throw new FormatException($"the connect string '{text}' names no server; host:port,host:port/chroot was expected")
            : new CoordinationClientOptions { Servers = [.. servers.Select(s => ServerAddress.Parse(s).ToString())], Chroot = chroot };
    }
}

/// <summary>One server.</summary>
internal readonly record struct ServerAddress(string Host, int Port)
{
    public static ServerAddress Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        bool bareIpv6 = colon >= 0 && text.IndexOf(':', StringComparison.Ordinal) != colon && !text.Contains(']', StringComparison.Ordinal);
        if (colon < 0 || bareIpv6 || text.EndsWith(']'))
        {
            return new ServerAddress(Host(text), CoordinationClientOptions.DefaultPort);
        }
        return int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and < 65536 && colon > 0
            ? new ServerAddress(Host(text[..colon]), port)
            : throw new FormatException($"the server '{text}' is not host:port with a port from 1 to 65535");

        static string Host(string host) => host.Trim('[', ']');
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
