using Google.Protobuf.Collections;
using Swarmctl.Connection;
using Swarmctl.Flags;
using F = Swarmctl.Services.ServiceFlags;

namespace Swarmctl.Services;

/// <summary><c>--add-capability</c> and <c>--rm-capability</c>: each takes back what the other did before.</summary>
internal static class CapabilityFlags
{
    public static void Merge(Session s, RepeatedField<string> added, RepeatedField<string> dropped)
    {
        foreach (string capability in s.Values(F.AddCapability).Select(Full))
        {
            Move(capability, from: dropped, to: added);
        }
        foreach (string capability in s.Values(F.RmCapability).Select(Full))
        {
            Move(capability, from: added, to: dropped);
        }
    }

    private static void Move(string capability, RepeatedField<string> from, RepeatedField<string> to)
    {
        if (!from.Remove(capability) && !to.Contains(capability))
        {
            to.Add(capability);
        }
    }

    private static string Full(string name)
    {
        string upper = name.Trim().ToUpperInvariant();
        return upper is "ALL" || upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : "CAP_" + upper;
    }
}
