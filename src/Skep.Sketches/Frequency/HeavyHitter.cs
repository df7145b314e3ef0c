namespace Skep.Sketches;

/// <summary>A frequent key.</summary>
/// <param name="Key">The key's bytes.</param>
/// <param name="Count">How often it was counted, at most.</param>
/// <param name="AtLeast">How often it was counted, at least. Both bounds are certain.</param>
public sealed record HeavyHitter(byte[] Key, long Count, long AtLeast)
{
    /// <summary>How much too high <see cref="Count"/> is at most.</summary>
    public long Error => Count - AtLeast;
}
