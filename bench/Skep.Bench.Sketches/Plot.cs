using System.Globalization;
using System.Text;
using Skep.Sketches;

namespace Skep.Bench.Sketches;

/// <summary>Error against memory, measured, as a picture for the guide: one panel a sketch, theory as a line, what was measured as dots.</summary>
internal static class Plot
{
    private const int PanelWidth = 300, PanelHeight = 240, Left = 62, Top = 44, Gap = 84;

    public static void Write(string path)
    {
        var svg = new StringBuilder();
        int width = Left + (3 * PanelWidth) + (2 * Gap) + 50, height = Top + PanelHeight + 56;
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append("<title>Error against memory of the sketches: theory (line) and measured (dots)</title>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n");
        Panel(svg, 0, "Bloom filter", "bits a key", "false positives", Bloom());
        Panel(svg, 1, "Count-Min, 4 rows", "KiB", "error, part of all counts", CountMin());
        Panel(svg, 2, "HyperLogLog, 12 KiB saved", "distinct keys", "root mean square error", Distinct());
        svg.Append("</svg>\n");
        File.WriteAllText(path, svg.ToString());
        Console.WriteLine($"wrote {path}");
    }

    private static List<(double X, double Theory, double Measured)> Bloom()
    {
        const int keys = 200_000, strangers = 2_000_000;
        var points = new List<(double, double, double)>();
        foreach (double rate in new[] { 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001 })
        {
            var filter = new BloomFilter(keys, rate);
            for (long i = 0; i < keys; i++)
            {
                filter.Add(i);
            }
            long passed = 0;
            for (long i = 0; i < strangers; i++)
            {
                passed += filter.Contains(i + keys) ? 1 : 0;
            }
            points.Add((filter.SizeBytes * 8.0 / keys, rate, passed / (double)strangers));
        }
        return points;
    }

    private static List<(double X, double Theory, double Measured)> CountMin()
    {
        const int draws = 2_000_000, keys = 500_000;
        var points = new List<(double, double, double)>();
        for (double epsilon = 0.01; epsilon > 2e-5; epsilon /= 2)
        {
            var sketch = new CountMinSketch(epsilon);
            var random = new Random(1);
            int[] truth = new int[keys];
            for (int i = 0; i < draws; i++)
            {
                int key = (int)Math.Exp(random.NextDouble() * Math.Log(keys));
                truth[key]++;
                sketch.Add((long)key);
            }

            // The one of 50 that theory gives the bound for.
            double[] errors = [.. Enumerable.Range(1, keys - 1).Select(k => (sketch.Estimate((long)k).Count - truth[k]) / (double)draws).Order()];
            points.Add((sketch.SizeBytes / 1024.0, sketch.Epsilon, Math.Max(1e-7, errors[(int)(errors.Length * (1 - sketch.Delta))])));
        }
        return points;
    }

    private static List<(double X, double Theory, double Measured)> Distinct()
    {
        const int seeds = 60;
        var sketches = new HyperLogLog[seeds];
        for (int s = 0; s < seeds; s++)
        {
            byte[] bytes = new byte[SketchSeed.SizeBytes];
            bytes[0] = (byte)s;
            sketches[s] = new HyperLogLog(SketchSeed.FromBytes(bytes));
        }
        var points = new List<(double, double, double)>();
        long at = 0;
        for (long distinct = 1_000; distinct <= 1_000_000; distinct = distinct * 10 / 4)
        {
            double squares = 0;
            foreach (HyperLogLog sketch in sketches)
            {
                for (long i = at; i < distinct; i++)
                {
                    sketch.Add(i);
                }
                double error = (sketch.Count() / (double)distinct) - 1;
                squares += error * error / seeds;
            }
            at = distinct;
            points.Add((distinct, HyperLogLog.RelativeError, Math.Sqrt(squares)));
        }
        return points;
    }

    private static void Panel(StringBuilder svg, int number, string title, string xLabel, string yLabel, List<(double X, double Theory, double Measured)> points)
    {
        double left = Left + (number * (PanelWidth + Gap));
        (double low, double high) xs = Decades(points.Select(static p => p.X));
        (double low, double high) ys = Decades(points.SelectMany(static p => new[] { p.Theory, p.Measured }));
        double X(double v) => left + (PanelWidth * (Math.Log10(v) - xs.low) / (xs.high - xs.low));
        double Y(double v) => Top + (PanelHeight * (ys.high - Math.Log10(v)) / (ys.high - ys.low));
        FormattableString text = $"<text x=\"{left}\" y=\"{Top - 16}\" font-size=\"14\" font-weight=\"bold\">{title}</text><text x=\"{left + (PanelWidth / 2)}\" y=\"{Top + PanelHeight + 42}\" text-anchor=\"middle\">{xLabel}</text><text x=\"{left}\" y=\"{Top - 2}\" fill=\"#666\" font-size=\"11\">{yLabel}</text>\n";
        svg.Append(FormattableString.Invariant(text));
        for (double d = ys.low; d <= ys.high; d++)
        {
            Line(svg, left, Y(Math.Pow(10, d)), left + PanelWidth, Y(Math.Pow(10, d)), "#ddd");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left - 6}\" y=\"{Y(Math.Pow(10, d)) + 4:0.#}\" text-anchor=\"end\">{Math.Pow(10, d + 2):0.#####} %</text>\n");
        }
        for (double d = xs.low; d <= xs.high; d++)
        {
            Line(svg, X(Math.Pow(10, d)), Top, X(Math.Pow(10, d)), Top + PanelHeight, "#ddd");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(Math.Pow(10, d)):0.#}\" y=\"{Top + PanelHeight + 18}\" text-anchor=\"middle\">{Math.Pow(10, d):N0}</text>\n");
        }
        string theory = string.Join(' ', points.Select(p => FormattableString.Invariant($"{X(p.X):0.#},{Y(p.Theory):0.#}")));
        svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{theory}\" fill=\"none\" stroke=\"#b45309\" stroke-width=\"2\"/>\n");
        foreach ((double x, _, double measured) in points)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(x):0.#}\" cy=\"{Y(measured):0.#}\" r=\"4\" fill=\"#1d4ed8\"/>\n");
        }
    }

    private static (double Low, double High) Decades(IEnumerable<double> values)
    {
        double[] all = [.. values];
        return (Math.Floor(Math.Log10(all.Min())), Math.Ceiling(Math.Log10(all.Max())));
    }

    private static void Line(StringBuilder svg, double x1, double y1, double x2, double y2, string colour) =>
        svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" stroke=\"{colour}\"/>\n");
}
