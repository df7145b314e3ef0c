using System.Runtime.CompilerServices;

namespace Swarmctl.Sketches.Reading;

/// <summary>The line itself is the key, as <c>sort -u</c> has it.</summary>
internal readonly struct WholeLine : IField
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> key)
    {
        key = line;
        return true;
    }
}
