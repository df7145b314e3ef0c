namespace Skep.Coordination.Access;

/// <summary>A client does not prove who it says it is.</summary>
/// <param name="reason">Why not, for the log alone; what the client said in it is made harmless.</param>
internal sealed class SaslRefusedException(string reason) : Exception(string.Concat(reason.Take(MaxReason).Select(static c => char.IsControl(c) ? '?' : c)))
{
    private const int MaxReason = 200;
}
