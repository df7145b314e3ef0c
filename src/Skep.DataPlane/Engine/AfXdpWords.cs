using System.Globalization;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports.AfXdp;

namespace Skep.DataPlane.Engine;

/// <summary>What a user says of an afxdp port: <c>afxdp:eth1,queue=1,zero-copy,generic,receive=1024,send=512</c>.</summary>
internal static class AfXdpWords
{
    private const string ZeroCopy = "zero-copy";

    /// <summary>Whether a port wants buffers that lie within pages.</summary>
    public static bool WantsPages(PortSpec spec) => spec.Driver == "afxdp" && spec.Options.ContainsKey(ZeroCopy);

    /// <summary>Opens it with a queue for each pool.</summary>
    /// <exception cref="IOException">It cannot be opened; the message says why.</exception>
    public static OpenWires Open(PortSpec spec, IReadOnlyList<PacketPool> pools)
    {
        try
        {
            var device = new AfXdpDevice(spec.Device, pools, Read(spec));
            return OpenWires.Of(device.Name, device, pools.Count, queue => new AfXdpPort(device, queue)) with { Note = string.Join("; ", device.Notes) };
        }
        catch (ArgumentException e)
        {
            throw new IOException($"port {spec.Driver}:{spec.Device}: {e.Message}", e);
        }
    }

    internal static AfXdpOptions Read(PortSpec spec)
    {
        var options = new AfXdpOptions();
        foreach ((string word, string value) in spec.Options)
        {
            options = word switch
            {
                "queue" => options with { Queue = Number(spec, word, value) },
                "receive" => options with { ReceiveFrames = Number(spec, word, value) },
                "send" => options with { SendFrames = Number(spec, word, value) },
                ZeroCopy => options with { ZeroCopy = true },
                "generic" => options with { Generic = true },
                _ => throw new IOException($"port {spec.Driver}:{spec.Device}: '{word}' is no word of it: expected address, gateway, tap, fallback, queue, receive, send, {ZeroCopy}, generic"),
            };
        }
        return options;
    }

    private static int Number(PortSpec spec, string word, string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new IOException($"port {spec.Driver}:{spec.Device}: {word}={value} is no number");
}
