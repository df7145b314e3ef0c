using Skep.DataPlane.Buffers;
using Skep.DataPlane.Ports;

namespace Skep.Bench.DataPlane;

/// <summary>The two ports of a worker, with a generator before one and a sink behind the other.</summary>
internal abstract class BenchWire : IDisposable
{
    /// <summary>The worker's buffers.</summary>
    public abstract PacketPool Pool { get; }

    /// <summary>Where what is put in comes out.</summary>
    public abstract IPort Front { get; }

    /// <summary>Where what is taken goes in.</summary>
    public abstract IPort Back { get; }

    /// <summary>The generator sends frames.</summary>
    public abstract void Put(ReadOnlySpan<byte[]> frames);

    /// <summary>The sink takes what has come since it last did.</summary>
    /// <returns>How many.</returns>
    public abstract int Take();

    public abstract void Dispose();
}
