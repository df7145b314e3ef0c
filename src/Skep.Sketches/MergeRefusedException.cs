namespace Skep.Sketches;

/// <summary>Two sketches that cannot be merged, since the result would be wrong; the message says why.</summary>
public sealed class MergeRefusedException : InvalidOperationException
{
    /// <summary>Makes one without words.</summary>
    public MergeRefusedException()
    {
    }

    /// <summary>Makes one that says why.</summary>
    public MergeRefusedException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one that says why, and what found it.</summary>
    public MergeRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal static void ThrowIfSeedsDiffer(SketchSeed? ours, SketchSeed? theirs)
    {
        if (SketchSeed.Same(ours, theirs))
        {
            return;
        }
        throw new MergeRefusedException((ours, theirs) switch
        {
            (null, _) => "the first sketch is of the compatible profile, the second is keyed: the same key has different hashes in them",
            (_, null) => "the first sketch is keyed, the second is of the compatible profile: the same key has different hashes in them",
            _ => $"the sketches have different seeds (fingerprints {ours.Fingerprint:x16} and {theirs.Fingerprint:x16}): the same key has different hashes in them",
        });
    }
}
