using Skep.Sketches;

namespace Swarmctl.Sketches;

/// <summary>
/// Asks filters for keys. Of one filter, the keys that it may hold are written (inverted: those that it surely does not); of several, each
/// key with the names of those that may hold it.
/// </summary>
internal sealed class LookUp(IReadOnlyList<(string Name, BloomFilter Filter)> filters, bool invert, bool learn, Stream output)
{
    public long Found { get; private set; }

    public long Absent { get; private set; }

    public void Take(ReadOnlySpan<byte> key)
    {
        bool found = false, written = false;
        foreach ((string name, BloomFilter filter) in filters)
        {
            if (!filter.Contains(key))
            {
                continue;
            }
            found = true;
            if (!invert && filters.Count > 1)
            {
                if (!written)
                {
                    output.Write(key);
                }
                written = true;
                output.WriteByte((byte)'\t');
                output.Write(System.Text.Encoding.UTF8.GetBytes(name));
            }
        }
        Found += found ? 1 : 0;
        Absent += found ? 0 : 1;
        if (found != invert)
        {
            if (!written)
            {
                output.Write(key);
            }
            output.WriteByte((byte)'\n');
        }
        if (learn && !found)
        {
            filters[0].Filter.Add(key);
        }
    }
}
