namespace Swarmctl.Sketches.Reading;

/// <summary>
/// One column of comma-separated values (RFC 4180). A quoted field may hold the delimiter and doubled quotes, but no newline: lines are
/// dealt out to all processors, which cannot know on which side of a quote they begin.
/// </summary>
/// <param name="column">From 0.</param>
/// <param name="delimiter">What stands between fields.</param>
internal readonly struct CsvField(int column, byte delimiter) : IField
{
    private const byte Quote = (byte)'"';

    public bool TryRead(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> key)
    {
        if (line is [.., (byte)'\r'])
        {
            line = line[..^1];
        }
        for (int at = 0; ; at++)
        {
            bool quoted = line is [Quote, ..];
            int end = quoted ? EndOfQuoted(line) : line.IndexOf(delimiter);
            if (at == column)
            {
                key = end < 0 ? line : line[..end];
                key = quoted ? Unquote(key) : key;
                return true;
            }
            if (end < 0)
            {
                key = default;
                return false;
            }
            line = line[(end + 1)..];
        }
    }

    /// <summary>The column of this name in a header line, or −1.</summary>
    public static int Find(ReadOnlySpan<byte> header, string name, byte delimiter)
    {
        byte[] wanted = System.Text.Encoding.UTF8.GetBytes(name);
        for (int column = 0; new CsvField(column, delimiter).TryRead(header, out ReadOnlySpan<byte> title); column++)
        {
            if (title.SequenceEqual(wanted))
            {
                return column;
            }
        }
        return -1;
    }

    // Where the delimiter behind a quoted field stands; −1 where the line ends with it.
    private int EndOfQuoted(ReadOnlySpan<byte> line)
    {
        for (int at = 1; ; at += 2)
        {
            int found = line[at..].IndexOf(Quote);
            if (found < 0)
            {
                throw new UserException("a quoted CSV field goes on past the end of its line, or a quote is missing: fields with newlines cannot be read");
            }
            at += found;
            if (at + 1 == line.Length)
            {
                return -1;
            }
            if (line[at + 1] != Quote)
            {
                return line[at + 1] == delimiter ? at + 1 : throw new UserException("a CSV field goes on behind its closing quote: expected the delimiter or the end of the line");
            }
        }
    }

    private static ReadOnlySpan<byte> Unquote(ReadOnlySpan<byte> field)
    {
        ReadOnlySpan<byte> inner = field[1..^1];
        if (!inner.Contains(Quote))
        {
            return inner;
        }
        var plain = new List<byte>(inner.Length);
        for (int i = 0; i < inner.Length; i++)
        {
            plain.Add(inner[i]);

            // Of two quotes one is meant.
            i += inner[i] == Quote ? 1 : 0;
        }
        return plain.ToArray();
    }
}
