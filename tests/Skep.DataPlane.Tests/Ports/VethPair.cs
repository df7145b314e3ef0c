using System.Diagnostics;
using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Tests.Workers;

namespace Skep.DataPlane.Tests.Ports;

/// <summary>A cable between two network namespaces: "here" at our end, "there" at the other. Both are up, without addresses.</summary>
internal sealed class VethPair : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Netns _net = new();

    public VethPair(string options = "")
    {
        Netns.RequireRoot();
        try
        {
            Here = _net.Add("h");
            There = _net.Add("t");
            foreach (string name in (string[])[Here, There])
            {
                // What the kernel would say of its own accord is not what these tests are about.
                Netns.Shell(name, "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
            }
            AddCable("", options);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Here { get; } = "";

    public string There { get; } = "";

    /// <summary>Lays a cable between "here" and "there" with something after both names.</summary>
    public void AddCable(string suffix, string options = "")
    {
        Netns.Command($"link add here{suffix} netns {Here}{options} type veth peer name there{suffix} netns {There}{options}");
        Netns.Command($"-n {Here} link set here{suffix} up");
        Netns.Command($"-n {There} link set there{suffix} up");
    }

    /// <summary>Waits until something is so.</summary>
    /// <param name="phase">What is waited for, said where it does not come.</param>
    public static void Until(string phase, Func<bool> isSo)
    {
        long start = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"within {Patience}: {phase}");
            Thread.Yield();
        }
    }

    /// <summary>Sends frames by one port, whatever fits at a time, and gives what the other received.</summary>
    public static List<byte[]> Carry(IPort from, IPort to, PacketPool pool, IReadOnlyList<byte[]> frames)
    {
        const int underWay = 64;
        var came = new List<byte[]>();
        int sent = 0;
        var burst = new Packet[32];
        Until($"{frames.Count} frames from {from.Name} come by {to.Name}", () =>
        {
            if (sent < frames.Count && sent - came.Count < underWay && pool.TryCopy(frames[sent], out Packet packet))
            {
                int taken = from.Send([packet]);
                sent += taken;
                if (taken == 0)
                {
                    from.Return([packet]);
                }
            }
            Discard(from);
            int count = to.Receive(burst);
            foreach (Packet received in burst.AsSpan(0, count))
            {
                came.Add(received.Bytes.ToArray());
            }
            to.Return(burst.AsSpan(0, count));
            return came.Count >= frames.Count;
        });
        return came;
    }

    /// <summary>Takes what a port has received and forgets it, so that it goes on with what it has to send.</summary>
    public static void Discard(IPort port)
    {
        var burst = new Packet[32];
        port.Return(burst.AsSpan(0, port.Receive(burst)));
    }

    public void Dispose() => _net.Dispose();
}
