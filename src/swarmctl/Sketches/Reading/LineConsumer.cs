using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Swarmctl.Sketches.Reading;

/// <summary>
/// Finds lines 64 bytes at a time (a bit for each newline), then the key in each. Field and sink are structs, so that the compiler makes one
/// loop of all three.
/// </summary>
internal sealed class LineConsumer<TField, TSink>(TField field, TSink sink) : BufferConsumer
    where TField : struct, IField
    where TSink : struct, IKeySink
{
    private const int StepBytes = 64;

    private TField field = field;
    private TSink sink = sink;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override int TakeLines(ReadOnlySpan<byte> buffer)
    {
        int start = 0, at = 0;
        if (Avx2.IsSupported)
        {
            var newline = Vector256.Create((byte)'\n');
            ref byte first = ref MemoryMarshal.GetReference(buffer);
            for (; at + StepBytes <= buffer.Length; at += StepBytes)
            {
                uint low = Newlines(ref Unsafe.Add(ref first, at), newline);
                uint high = Newlines(ref Unsafe.Add(ref first, at + (StepBytes / 2)), newline);
                for (ulong ends = low | ((ulong)high << 32); ends != 0; ends &= ends - 1)
                {
                    int end = at + BitOperations.TrailingZeroCount(ends);
                    Take(buffer[start..end]);
                    start = end + 1;
                }
            }
        }

        // The last bytes, or all where there is no AVX2.
        for (int found = buffer[at..].IndexOf((byte)'\n'); found >= 0; found = buffer[at..].IndexOf((byte)'\n'))
        {
            Take(buffer[start..(at + found)]);
            start = at += found + 1;
        }
        return start;
    }

    public override void TakeLine(ReadOnlySpan<byte> line) => Take(line);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Newlines(ref byte at, Vector256<byte> newline) =>
        (uint)Avx2.MoveMask(Avx2.CompareEqual(Unsafe.ReadUnaligned<Vector256<byte>>(ref at), newline));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Take(ReadOnlySpan<byte> line)
    {
        Lines++;
        if (!field.TryRead(line, out ReadOnlySpan<byte> key) || !sink.TryTake(key))
        {
            Without++;
        }
    }
}
