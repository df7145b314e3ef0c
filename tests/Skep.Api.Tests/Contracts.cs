using Docker.Swarmkit.V1;
using Google.Protobuf.Reflection;

namespace Skep.Api.Tests;

/// <summary>The descriptors of every contract.</summary>
internal static class Contracts
{
    /// <summary>The files, in the order of their names.</summary>
    public static IReadOnlyList<FileDescriptor> Files { get; } =
    [
        .. typeof(Control).Assembly.GetTypes()
            .Where(t => t.IsAbstract && t.IsSealed && t.Name.EndsWith("Reflection", StringComparison.Ordinal))
            .Select(t => t.GetProperty("Descriptor")?.GetValue(null) as FileDescriptor)
            .OfType<FileDescriptor>()
            .OrderBy(f => f.Name, StringComparer.Ordinal),
    ];

    public static IEnumerable<MessageDescriptor> Messages() => Files.SelectMany(f => f.MessageTypes).SelectMany(Nested);

    public static IEnumerable<EnumDescriptor> Enums() =>
        Files.SelectMany(f => f.EnumTypes).Concat(Messages().SelectMany(m => m.EnumTypes));

    private static IEnumerable<MessageDescriptor> Nested(MessageDescriptor message) =>
        message.NestedTypes.SelectMany(Nested).Prepend(message).Where(m => m.ClrType is not null);
}
