using System.Buffers.Binary;
using Skep.Raft;

namespace Skep.Bench.Raft;

/// <summary>Remembers the writes that have a name, so that a client can ask afterwards for each that was acknowledged.</summary>
internal sealed class SeenWrites : IStateMachine
{
    private const int KindAt = 4;
    private const int NameAt = 5;
    private const byte Question = 1;

    private readonly HashSet<ulong> _names = [];

    public static void Write(Span<byte> command, ulong name, bool question)
    {
        command[KindAt] = question ? Question : (byte)0;
        BinaryPrimitives.WriteUInt64LittleEndian(command[NameAt..], name);
    }

    public static bool IsQuestion(ReadOnlySpan<byte> command) => command[KindAt] == Question;

    public bool Has(ReadOnlySpan<byte> command)
    {
        lock (_names)
        {
            return _names.Contains(BinaryPrimitives.ReadUInt64LittleEndian(command[NameAt..]));
        }
    }

    public void Apply(ulong index, ReadOnlyMemory<byte> command)
    {
        if (BinaryPrimitives.ReadUInt64LittleEndian(command.Span[NameAt..]) is > 0 and var name)
        {
            lock (_names)
            {
                _names.Add(name);
            }
        }
    }

    public Func<Stream, CancellationToken, Task> CaptureSnapshot()
    {
        ulong[] names;
        lock (_names)
        {
            names = [.. _names];
        }

        return async (output, ct) => await output.WriteAsync(System.Runtime.InteropServices.MemoryMarshal.AsBytes(names.AsSpan()).ToArray(), ct);
    }

    public async Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        await snapshot.CopyToAsync(bytes, ct);
        lock (_names)
        {
            _names.Clear();
            foreach (ulong name in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes.ToArray()))
            {
                _names.Add(name);
            }
        }
    }
}
