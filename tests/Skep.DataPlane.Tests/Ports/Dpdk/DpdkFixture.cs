using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;
using Skep.DataPlane.Ports.Dpdk;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Tests.Ports.Dpdk;

/// <summary>DPDK as this test process has it: it starts once, without huge pages, which need not be there.</summary>
internal static class DpdkFixture
{
    public static readonly DpdkOptions Options = new() { HugePages = false, MemoryMb = 128 };
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Skips the test where DPDK is not installed, or does not start for want of rights.</summary>
    public static void Require()
    {
        try
        {
            DpdkLibraries.Require();
        }
        catch (IOException e)
        {
            Assert.Skip(e.Message);
        }
        try
        {
            DpdkEal.Start(Options);
        }
        catch (IOException e) when (Environment.UserName != "root")
        {
            Assert.Skip(e.Message);
        }
    }

    /// <summary>Sends frames by one port and takes what comes out of another; every packet goes back to the pool.</summary>
    public static List<byte[]> Through(MbufPool pool, IPort from, IPort to, IReadOnlyList<byte[]> frames)
    {
        var got = new List<byte[]>();
        var burst = new Packet[32];
        for (int at = 0; at < frames.Count; at += burst.Length)
        {
            int count = Math.Min(burst.Length, frames.Count - at);
            for (int i = 0; i < count; i++)
            {
                Assert.True(pool.TryCopy(frames[at + i], out burst[i]));
            }
            Assert.Equal(count, from.Send(burst.AsSpan(0, count)));
            Receive(to, at + count, got, burst);
        }
        return got;
    }

    /// <summary>Receives until there are as many frames as are wanted.</summary>
    public static void Receive(IPort port, int wanted, List<byte[]> got, Packet[] burst)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (got.Count < wanted)
        {
            Assert.False(patience.IsCancellationRequested, $"receiving on {port.Name}: of {wanted} frames {got.Count} came within {Patience}");
            int count = port.Receive(burst);
            for (int i = 0; i < count; i++)
            {
                got.Add(burst[i].Bytes.ToArray());
            }
            port.Return(burst.AsSpan(0, count));
        }
    }

    /// <summary>Waits for something to be so.</summary>
    public static void Until(string phase, Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, $"{phase}: not within {Patience}");
            Thread.Yield();
        }
    }
}
