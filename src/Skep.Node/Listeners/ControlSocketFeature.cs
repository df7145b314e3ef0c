namespace Skep.Node.Listeners;

/// <summary>Marks a connection that came in by the control socket.</summary>
internal sealed class ControlSocketFeature
{
    public static readonly ControlSocketFeature Instance = new();
}
