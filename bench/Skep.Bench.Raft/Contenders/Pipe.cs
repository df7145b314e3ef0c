using System.Buffers;

namespace Skep.Bench.Raft;

/// <summary>A connection on which commands are sent without waiting for the answers to earlier ones.</summary>
internal abstract class Pipe(Stream stream) : IAsyncDisposable
{
    public const int CommandSizeBytes = 128;

    public Stream Stream => stream;

    /// <summary>Writes a command; its answer names the same slot.</summary>
    public abstract void Encode(IBufferWriter<byte> output, int slot);

    /// <summary>Takes whole answers off what was received.</summary>
    /// <param name="received">What has come.</param>
    /// <param name="answered">Takes the slots that were answered.</param>
    /// <param name="replies">Takes what the other side must be told.</param>
    /// <returns>How many bytes were taken.</returns>
    /// <exception cref="IOException">A command was refused.</exception>
    public abstract int Decode(ReadOnlySpan<byte> received, List<int> answered, IBufferWriter<byte> replies);

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
