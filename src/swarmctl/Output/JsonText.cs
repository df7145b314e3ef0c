using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Skep.V1;

namespace Swarmctl.Output;

/// <summary>Messages of the contracts as JSON, with the contracts' own field names.</summary>
internal static class JsonText
{
    private static readonly TypeRegistry Known = TypeRegistry.FromMessages(ProcessSpec.Descriptor, Struct.Descriptor);

    private static readonly JsonFormatter Formatter = new(
        new JsonFormatter.Settings(formatDefaultValues: false, Known).WithPreserveProtoFieldNames(true));

    public static string Of(IMessage message) => Formatter.Format(WithReadablePayload(message));

    public static string Of(IEnumerable<IMessage> messages) => "[" + string.Join(",\n", messages.Select(Of)) + "]";

    // What another runtime's task carries is known to that runtime alone: its type and bytes are shown.
    private static IMessage WithReadablePayload(IMessage message)
    {
        switch (message)
        {
            case Service service when IsForeign(service.Spec?.Task?.Generic) || IsForeign(service.PreviousSpec?.Task?.Generic):
                Service shown = service.Clone();
                Wrap(shown.Spec?.Task?.Generic);
                Wrap(shown.PreviousSpec?.Task?.Generic);
                return shown;
            case SwarmTask task when IsForeign(task.Spec?.Generic):
                SwarmTask copy = task.Clone();
                Wrap(copy.Spec.Generic);
                return copy;
            default:
                return message;
        }
    }

    private static bool IsForeign(GenericRuntimeSpec? generic) => generic?.Payload is { } payload && Known.Find(Any.GetTypeName(payload.TypeUrl)) is null;

    private static void Wrap(GenericRuntimeSpec? generic)
    {
        if (IsForeign(generic))
        {
            generic!.Payload = Any.Pack(new Struct
            {
                Fields =
                {
                    ["type_url"] = Value.ForString(generic.Payload.TypeUrl),
                    ["value"] = Value.ForString(generic.Payload.Value.ToBase64()),
                },
            });
        }
    }
}
