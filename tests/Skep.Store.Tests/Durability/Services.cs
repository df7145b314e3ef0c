using Docker.Swarmkit.V1;

namespace Skep.Store.Tests.Durability;

internal static class Services
{
    public static Service Make(string id, string round = "round 0", int paddingBytes = 0) => new()
    {
        Id = id,
        Spec = new()
        {
            Annotations = new() { Name = id, Labels = { ["round"] = round, ["padding"] = new string('x', paddingBytes) } },
        },
    };
}
