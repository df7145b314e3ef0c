using Docker.Swarmkit.V1;

namespace Swarmctl.Output;

/// <summary>User-defined resources, one a line.</summary>
internal static class GenericResourceLines
{
    public static void Add(TabText text, IEnumerable<GenericResource> resources, string indent)
    {
        foreach (GenericResource resource in resources)
        {
            text.Line(resource.ResourceCase switch
            {
                GenericResource.ResourceOneofCase.NamedResourceSpec => $"{indent}{resource.NamedResourceSpec.Kind}\t: {resource.NamedResourceSpec.Value}",
                GenericResource.ResourceOneofCase.DiscreteResourceSpec => $"{indent}{resource.DiscreteResourceSpec.Kind}\t: {resource.DiscreteResourceSpec.Value}",
                _ => indent,
            });
        }
    }
}
