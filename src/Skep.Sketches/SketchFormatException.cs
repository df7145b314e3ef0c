namespace Skep.Sketches;

/// <summary>Bytes that are not a whole sketch of the kind wanted: foreign, damaged, or made to deceive.</summary>
public sealed class SketchFormatException : FormatException
{
    /// <summary>Makes one without words.</summary>
    public SketchFormatException()
    {
    }

    /// <summary>Makes one that says what is wrong with the bytes.</summary>
    public SketchFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one that says what is wrong with the bytes, and what found it.</summary>
    public SketchFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
