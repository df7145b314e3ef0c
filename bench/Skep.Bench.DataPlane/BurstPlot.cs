using System.Text;
using Skep.DataPlane.Balancing.Configuration;

namespace Skep.Bench.DataPlane;

/// <summary>Packets a second against the size of a burst, as a picture for the guide.</summary>
internal static class BurstPlot
{
    private const int Width = 460, Height = 260, Left = 56, Top = 36, NameApart = 15, Runs = 5;
    private static readonly int[] Bursts = [1, 2, 4, 8, 16, 32];
    private static readonly (string Name, int Flows, bool Sketches, string Colour)[] Lines =
    [
        ("1,000 flows", 1_000, false, "#1f77b4"),
        ("1,000 flows, sketches", 1_000, true, "#2ca02c"),
        ("1 M flows", 1_000_000, false, "#d62728"),
        ("1 M flows, sketches", 1_000_000, true, "#9467bd"),
    ];

    public static void Write(string file)
    {
        double[][] measured = [.. Lines.Select(static l => Bursts.Select(b => Measure(l.Flows, l.Sketches, b)).ToArray())];
        double most = Math.Ceiling(measured.Max(static m => m.Max()) / 5) * 5;
        var svg = new StringBuilder();
        svg.Append($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Left + Width + 190} {Top + Height + 56}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append("<title>Millions of 64-byte packets a second on one core against the size of a burst, mode nat</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        svg.Append($"<text x=\"{Left}\" y=\"20\" font-weight=\"bold\">Mpps on one core, mode nat, 64-byte packets</text>\n");
        for (double y = 0; y <= most; y += 5)
        {
            svg.Append($"<line x1=\"{Left}\" x2=\"{Left + Width}\" y1=\"{At(y, most):F1}\" y2=\"{At(y, most):F1}\" stroke=\"#ddd\"/><text x=\"{Left - 8}\" y=\"{At(y, most) + 4:F1}\" text-anchor=\"end\">{y:F0}</text>\n");
        }
        for (int i = 0; i < Bursts.Length; i++)
        {
            svg.Append($"<text x=\"{X(i):F1}\" y=\"{Top + Height + 20}\" text-anchor=\"middle\">{Bursts[i]}</text>\n");
        }
        svg.Append($"<text x=\"{Left + Width / 2}\" y=\"{Top + Height + 42}\" text-anchor=\"middle\">packets in a burst</text>\n");
        double nameAt = 0;
        for (int l = 0; l < Lines.Length; l++)
        {
            svg.Append($"<polyline fill=\"none\" stroke=\"{Lines[l].Colour}\" stroke-width=\"2\" points=\"{string.Join(' ', measured[l].Select((m, i) => $"{X(i):F1},{At(m, most):F1}"))}\"/>\n");
            // Beside the line's end, and below the name of the one before.
            nameAt = Math.Max(nameAt + NameApart, At(measured[l][^1], most) + 4);
            svg.Append($"<text x=\"{Left + Width + 10}\" y=\"{nameAt:F1}\" fill=\"{Lines[l].Colour}\">{Lines[l].Name}</text>\n");
            Console.WriteLine($"{Lines[l].Name,-22} {string.Join("  ", measured[l].Select((m, i) => $"{Bursts[i]}: {m:F1}"))}");
        }
        svg.Append("</svg>\n");
        File.WriteAllText(file, svg.ToString());
        Console.WriteLine($"wrote {file}");
    }

    private static double Measure(int flows, bool sketches, int burst)
    {
        using var rig = new BenchRig(new Case("plot", flows, BalanceMode.Nat, burst, null, sketches), new MemoryWire(burst));
        rig.Open();
        rig.Run(2_000_000);
        return Enumerable.Range(0, Runs).Select(_ => rig.Run(3_000_000).Wall).Order().ElementAt(Runs / 2);
    }

    private static double X(int i) => Left + i * (double)Width / (Bursts.Length - 1);

    private static double At(double mpps, double most) => Top + Height - Height * mpps / most;
}
