using Docker.Swarmkit.V1;

namespace Skep.Manager.Scheduling;

/// <summary>
/// Generic resources that are free on a node: counted ones, and named ones of which each piece has its own name. A task asks
/// for a number of either and is told which ones it got (facts: moby/swarmkit api/genericresource).
/// </summary>
internal sealed class GenericAmounts
{
    private readonly Dictionary<string, long> counted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedSet<string>> named = new(StringComparer.Ordinal);

    /// <summary>All of a node's.</summary>
    public GenericAmounts(IEnumerable<GenericResource> resources)
    {
        foreach (GenericResource resource in resources)
        {
            switch (resource.ResourceCase)
            {
                case GenericResource.ResourceOneofCase.DiscreteResourceSpec:
                    counted[resource.DiscreteResourceSpec.Kind] =
                        counted.GetValueOrDefault(resource.DiscreteResourceSpec.Kind) + resource.DiscreteResourceSpec.Value;
                    break;
                case GenericResource.ResourceOneofCase.NamedResourceSpec:
                    NamesOf(resource.NamedResourceSpec.Kind).Add(resource.NamedResourceSpec.Value);
                    break;
            }
        }
    }

    /// <summary>What is asked, by kind. Only counts can be asked for.</summary>
    public static IReadOnlyList<KeyValuePair<string, long>> Asked(IEnumerable<GenericResource> reservations)
    {
        Dictionary<string, long>? asked = null;
        foreach (GenericResource r in reservations)
        {
            if (r.DiscreteResourceSpec is { } d)
            {
                asked ??= new(StringComparer.Ordinal);
                asked[d.Kind] = asked.GetValueOrDefault(d.Kind) + d.Value;
            }
        }
        return asked is null ? [] : [.. asked];
    }

    /// <summary>How many pieces of a kind are free.</summary>
    public long Free(string kind) =>
        named.TryGetValue(kind, out SortedSet<string>? names) ? names.Count : counted.GetValueOrDefault(kind);

    /// <summary>Takes pieces for a task; the caller has checked that they are free.</summary>
    /// <returns>What the task got, to be recorded in it.</returns>
    public List<GenericResource> Claim(IReadOnlyList<KeyValuePair<string, long>> asked)
    {
        var got = new List<GenericResource>();
        foreach ((string kind, long count) in asked)
        {
            if (count <= 0)
            {
                continue;
            }
            if (named.TryGetValue(kind, out SortedSet<string>? names))
            {
                foreach (string value in names.Take((int)Math.Min(count, int.MaxValue)).ToList())
                {
                    names.Remove(value);
                    got.Add(new() { NamedResourceSpec = new() { Kind = kind, Value = value } });
                }
            }
            else
            {
                counted[kind] = counted.GetValueOrDefault(kind) - count;
                got.Add(new() { DiscreteResourceSpec = new() { Kind = kind, Value = count } });
            }
        }
        return got;
    }

    /// <summary>Counts what a task was given before as taken.</summary>
    public void Take(IEnumerable<GenericResource> given) => Move(given, -1);

    /// <summary>Frees what a task had.</summary>
    public void Return(IEnumerable<GenericResource> given) => Move(given, +1);

    private void Move(IEnumerable<GenericResource> given, int sign)
    {
        foreach (GenericResource r in given)
        {
            if (r.DiscreteResourceSpec is { } d)
            {
                counted[d.Kind] = counted.GetValueOrDefault(d.Kind) + sign * d.Value;
            }
            else if (r.NamedResourceSpec is { } n)
            {
                _ = sign > 0 ? NamesOf(n.Kind).Add(n.Value) : NamesOf(n.Kind).Remove(n.Value);
            }
        }
    }

    private SortedSet<string> NamesOf(string kind)
    {
        if (!named.TryGetValue(kind, out SortedSet<string>? names))
        {
            named[kind] = names = new(StringComparer.Ordinal);
        }
        return names;
    }
}
