using Docker.Swarmkit.V1;
using Google.Protobuf.WellKnownTypes;
using Skep.Api;
using Skep.V1;

namespace Swarmctl.Tasks;

/// <summary>The payload of a task that runs as a process of the host.</summary>
internal static class ProcessRuntime
{
    private const string TypeUrl = "type.skep.io/skep.v1.ProcessSpec";

    public static ProcessSpec? TryUnpack(TaskSpec spec) =>
        spec.RuntimeCase == TaskSpec.RuntimeOneofCase.Generic && spec.Generic.Payload?.TypeUrl == TypeUrl
            ? ProcessSpec.Parser.ParseFrom(spec.Generic.Payload.Value)
            : null;

    public static GenericRuntimeSpec Pack(ProcessSpec process) => new()
    {
        Kind = NodeTraits.ProcessRuntime,
        Payload = new Any { TypeUrl = TypeUrl, Value = Google.Protobuf.MessageExtensions.ToByteString(process) },
    };
}
