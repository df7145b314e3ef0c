using System.Globalization;
using Docker.Swarmkit.V1;

namespace Skep.Node.Agents;

/// <summary>User-defined resources of a node: <c>fpga=2,gpu=UUID1,gpu=UUID2</c>; a number is a count, anything else a name.</summary>
internal static class GenericResourceFlag
{
    /// <exception cref="NodeStartException">A part is not kind=value, or a kind has both counts and names.</exception>
    public static IEnumerable<GenericResource> Parse(string text)
    {
        var resources = new List<GenericResource>();
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            if (pair.Length != 2 || pair[0].Length == 0 || pair[1].Length == 0)
            {
                throw new NodeStartException($"--generic-node-resources {text}: \"{part}\" is not kind=count or kind=name");
            }
            resources.Add(long.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out long count)
                ? new() { DiscreteResourceSpec = new() { Kind = pair[0], Value = count } }
                : new() { NamedResourceSpec = new() { Kind = pair[0], Value = pair[1] } });
        }
        IEnumerable<string> counted = resources.Where(r => r.DiscreteResourceSpec is not null).Select(r => r.DiscreteResourceSpec.Kind);
        string? mixed = counted.Intersect(resources.Where(r => r.NamedResourceSpec is not null).Select(r => r.NamedResourceSpec.Kind)).FirstOrDefault();
        return mixed is null ? resources : throw new NodeStartException($"--generic-node-resources {text}: {mixed} is given both as a count and by name; choose one");
    }
}
