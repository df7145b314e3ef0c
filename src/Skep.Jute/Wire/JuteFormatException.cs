namespace Skep.Jute;

/// <summary>Bytes that are no jute record: cut short, too long, or with a length that cannot be. The connection they came from is to be closed.</summary>
public sealed class JuteFormatException : Exception
{
    /// <summary>Makes the exception without a reason.</summary>
    public JuteFormatException() { }

    /// <param name="message">What was wrong, and what was expected.</param>
    public JuteFormatException(string message) : base(message) { }

    /// <param name="message">What was wrong, and what was expected.</param>
    /// <param name="innerException">What found it.</param>
    public JuteFormatException(string message, Exception innerException) : base(message, innerException) { }
}
