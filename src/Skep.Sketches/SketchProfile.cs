namespace Skep.Sketches;

/// <summary>Which hash a sketch uses, and so with whom its bytes can be shared.</summary>
public enum SketchProfile
{
    /// <summary>Parquet's (XXH64, seed 0) and Redis's (MurmurHash64A, seed 0xadc83b19) hashes: others read the bytes.</summary>
    Compatible = 0,

    /// <summary>SipHash-1-3 under a secret <see cref="SketchSeed"/>: safe where strangers choose the keys.</summary>
    Keyed = 1,
}
