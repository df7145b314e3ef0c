using System.Numerics;
using System.Runtime.CompilerServices;

namespace Skep.DataPlane.Balancing.Configuration;

/// <summary>An immutable map from endpoints, at most half full, each key beside its value.</summary>
internal sealed class EndpointMap<T> where T : class
{
    private readonly Entry[] _entries;

    private struct Entry
    {
        public ulong High, Low;
        public uint PortAndProtocol;
        public T? Value;
    }

    public EndpointMap(IReadOnlyDictionary<Endpoint, T> entries)
    {
        _entries = new Entry[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, entries.Count * 2))];
        foreach ((Endpoint key, T value) in entries)
        {
            int at = Start(key);
            while (_entries[at].Value is not null)
            {
                at = (at + 1) & (_entries.Length - 1);
            }
            _entries[at] = new Entry { High = key.Address.High, Low = key.Address.Low, PortAndProtocol = key.PortAndProtocol, Value = value };
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T? Find(in Endpoint key)
    {
        Entry[] entries = _entries;
        for (int at = Start(key); ; at = (at + 1) & (entries.Length - 1))
        {
            ref Entry entry = ref entries[at];
            if (entry.Value is null
                || (((entry.Low ^ key.Address.Low) | (entry.High ^ key.Address.High)) == 0 && entry.PortAndProtocol == key.PortAndProtocol))
            {
                return entry.Value;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Start(in Endpoint key) => (int)key.Hash & (_entries.Length - 1);
}
