using System.Numerics;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>An immutable map from endpoints, at most half full, looked up without a call through an interface.</summary>
internal sealed class EndpointMap<T> where T : class
{
    private readonly Endpoint[] _keys;
    private readonly T?[] _values;
    private readonly int _mask;

    public EndpointMap(IReadOnlyDictionary<Endpoint, T> entries)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, entries.Count * 2));
        (_keys, _values, _mask) = (new Endpoint[size], new T?[size], size - 1);
        foreach ((Endpoint key, T value) in entries)
        {
            int at = (int)key.Hash & _mask;
            while (_values[at] is not null)
            {
                at = (at + 1) & _mask;
            }
            (_keys[at], _values[at]) = (key, value);
        }
    }

    public T? Find(in Endpoint key)
    {
        for (int at = (int)key.Hash & _mask; _values[at] is { } value; at = (at + 1) & _mask)
        {
            if (_keys[at] == key)
            {
                return value;
            }
        }
        return null;
    }
}
