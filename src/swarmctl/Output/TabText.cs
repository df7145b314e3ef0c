using System.Text;

namespace Swarmctl.Output;

/// <summary>
/// Text in columns, aligned as Go's text/tabwriter aligns it: a cell ends at a tab, and a column is as wide as its widest cell in
/// consecutive lines plus the padding. SwarmKit's output is made so, and scripts rely on it.
/// </summary>
internal sealed class TabText(int minWidth, int padding)
{
    private readonly List<string[]> lines = [];

    /// <summary>A table, as lists are shown.</summary>
    public static TabText ForList() => new(0, 2);

    /// <summary>Labels and values, as one object is shown.</summary>
    public static TabText ForObject() => new(8, 8);

    /// <summary>A line whose cells end at tabs; what stands behind the last tab belongs to no column.</summary>
    public TabText Line(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            lines.Add(line.Split('\t'));
        }
        return this;
    }

    /// <summary>The line, unless the value is empty.</summary>
    public TabText LineIf(string label, string? value) => string.IsNullOrEmpty(value) ? this : Line($"{label}\t: {value}");

    /// <summary>Headings, each with a line below it.</summary>
    public TabText Header(params string[] titles) =>
        Line(string.Join('\t', titles)).Line(string.Join('\t', titles.Select(t => new string('-', t.Length))));

    public override string ToString()
    {
        int[][] widths = [.. lines.Select(cells => new int[cells.Length - 1])];
        for (int i = 0; i < lines.Count; i++)
        {
            for (int column = 0; column < widths[i].Length; column++)
            {
                if (widths[i][column] == 0)
                {
                    Measure(widths, i, column);
                }
            }
        }
        var text = new StringBuilder();
        for (int i = 0; i < lines.Count; i++)
        {
            for (int column = 0; column < widths[i].Length; column++)
            {
                text.Append(lines[i][column].PadRight(widths[i][column]));
            }
            text.Append(lines[i][^1]).Append('\n');
        }
        return text.ToString();
    }

    // A column goes on for as long as the lines below have a cell that ends in it.
    private void Measure(int[][] widths, int from, int column)
    {
        int width = minWidth;
        int to = from;
        for (; to < lines.Count && widths[to].Length > column; to++)
        {
            width = Math.Max(width, lines[to][column].Length + padding);
        }
        for (int i = from; i < to; i++)
        {
            widths[i][column] = width;
        }
    }
}
