using System.Buffers;
using System.Globalization;
using System.Text;

namespace Skep.Coordination.Tree;

/// <summary>
/// The text of <c>zookeeper_limits</c> and <c>zookeeper_stats</c>: <c>count=5,bytes=-1</c>, and since ZooKeeper 3.7
/// <c>=;byteHardLimit=10;countHardLimit=5</c> behind it, so that servers before 3.7 read its first two. -1 is no limit.
/// </summary>
/// <param name="Count">Nodes, that of the quota among them.</param>
/// <param name="Bytes">Bytes of their data.</param>
/// <param name="CountHardLimit">Nodes that there may be where quotas are enforced.</param>
/// <param name="ByteHardLimit">Bytes that they may have there.</param>
internal readonly record struct QuotaFigures(long Count, long Bytes, long CountHardLimit, long ByteHardLimit)
{
    private const int MostChars = 1024;
    private static readonly SearchValues<char> Separators = SearchValues.Create(",;");

    public static readonly QuotaFigures None = new(-1, -1, -1, -1);

    /// <summary>Reads what clients may have written as they liked: what is no figure is none.</summary>
    public static QuotaFigures Parse(ReadOnlySpan<byte> data)
    {
        QuotaFigures read = None;
        string text = data.Length > MostChars ? "" : Encoding.UTF8.GetString(data);
        foreach (Range range in text.AsSpan().SplitAny(Separators))
        {
            string[] pair = text[range].Split('=');
            if (pair.Length < 2 || !long.TryParse(pair[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            {
                continue;
            }
            read = pair[0] switch
            {
                "count" => read with { Count = value },
                "bytes" => read with { Bytes = value },
                "countHardLimit" => read with { CountHardLimit = value },
                "byteHardLimit" => read with { ByteHardLimit = value },
                _ => read,
            };
        }
        return read;
    }

    /// <summary>As <c>zookeeper_stats</c> has it, which holds no limits.</summary>
    public byte[] ToStats() => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"count={Count},bytes={Bytes}"));
}

/// <summary>A write that a quota did not allow for.</summary>
/// <param name="Path">The node that has the quota.</param>
/// <param name="Of">What there was too much of: count or bytes.</param>
/// <param name="Wanted">How much there would be after the write.</param>
/// <param name="Limit">How much there may be.</param>
/// <param name="IsHard">Whether it is a hard limit.</param>
/// <param name="IsRefused">Whether the write was refused.</param>
internal readonly record struct OverQuota(string Path, string Of, long Wanted, long Limit, bool IsHard, bool IsRefused);
