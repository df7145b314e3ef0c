using System.Numerics;
using Skep.DataPlane.Buffers;

namespace Skep.DataPlane.Ports.AfXdp;

/// <summary>How an <see cref="AfXdpPort"/> opens its device.</summary>
public sealed record AfXdpOptions
{
    private const int MaxFrames = 65_536;

    /// <summary>The receive queue that is taken, from 0. What comes by others goes to the kernel.</summary>
    public int Queue { get; init; }

    /// <summary>
    /// Asks that the device read and write the pool itself. A driver that cannot is served by copies, and a note says so. It takes a
    /// pool whose buffers lie within pages.
    /// </summary>
    public bool ZeroCopy { get; init; }

    /// <summary>Runs the program behind the driver, in the kernel's own receive path, even where the driver could run it.</summary>
    public bool Generic { get; init; }

    /// <summary>Buffers of the pool that wait for frames, and frames that wait, together: a power of two up to 65,536.</summary>
    public int ReceiveFrames { get; init; } = 512;

    /// <summary>Frames under way at most: a power of two up to 65,536.</summary>
    public int SendFrames { get; init; } = 512;

    /// <summary>Looks whether they can be, with a pool.</summary>
    /// <exception cref="ArgumentException">They cannot; the message says what can.</exception>
    internal void Check(PacketPool pool)
    {
        foreach (int frames in (int[])[ReceiveFrames, SendFrames])
        {
            if (frames is < 1 or > MaxFrames || !BitOperations.IsPow2(frames))
            {
                throw new ArgumentException($"a ring of {frames} frames cannot be: expected a power of two from 1 to {MaxFrames}");
            }
        }
        ArgumentOutOfRangeException.ThrowIfNegative(Queue);
        if (pool.StrideBytes == 0)
        {
            throw new ArgumentException("afxdp and dpdk cannot run in one data plane: each lays out the buffers of all ports; give each a process", nameof(pool));
        }
        if (pool.StrideBytes is < XdpSocket.MinStrideBytes or > XdpSocket.MaxStrideBytes)
        {
            throw new ArgumentException($"AF_XDP takes buffers of 2048 to 4032 bytes, those within pages 2048 or 4096; the pool's have {pool.BufferBytes}", nameof(pool));
        }
        if (pool.Available < ReceiveFrames)
        {
            throw new ArgumentException($"the pool has {pool.Available} free buffers and the port would keep {ReceiveFrames}: more buffers (--buffers), or fewer receive frames", nameof(pool));
        }
    }
}
