using System.Text;
using System.Text.Json;
using Skep.Sketches;
using Swarmctl.Connection;
using Swarmctl.Output;

namespace Swarmctl.Sketches;

/// <summary>How answers are shown: a table, or one JSON object. Every number that is not certain comes with its bounds.</summary>
internal static class Answers
{
    public static void Write(Surroundings around, bool json, Action<Utf8JsonWriter> asJson, Action<TextWriter> asText)
    {
        if (!json)
        {
            asText(around.Output);
            return;
        }
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            asJson(writer);
            writer.WriteEndObject();
        }
        around.Output.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    public static void Write(Surroundings around, bool json, Estimate estimate, string what, Tally? tally = null) => Write(
        around, json,
        w =>
        {
            w.WriteNumber(what, (long)Math.Round(estimate.Value));
            w.WriteNumber("standard_error", Math.Round(estimate.StandardError));
            w.WriteNumber("at_least_95", (long)Math.Floor(estimate.Low()));
            w.WriteNumber("at_most_95", (long)Math.Ceiling(estimate.High()));
            WriteTally(w, tally);
        },
        o =>
        {
            o.Write(TabText.ForList().Header(Title(what), "Standard error", "With 95 % between")
                .Line($"{estimate.Value:N0}\t{estimate.StandardError:N0}\t{Math.Floor(estimate.Low()):N0} and {Math.Ceiling(estimate.High()):N0}"));
            WriteTally(o, tally);
        });

    public static void Write(Surroundings around, bool json, HeavyHitters sketch, int count, Tally? tally = null)
    {
        IReadOnlyList<HeavyHitter> top = sketch.Top(count);
        long others = sketch.Top(count + 1) is { } more && more.Count > count ? Math.Max(more[count].Count, sketch.Floor) : sketch.Floor;
        Write(
            around, json,
            w =>
            {
                w.WriteStartArray("top");
                foreach (HeavyHitter hit in top)
                {
                    w.WriteStartObject();
                    w.WriteString("key", Encoding.UTF8.GetString(hit.Key));
                    w.WriteNumber("at_least", hit.AtLeast);
                    w.WriteNumber("at_most", hit.Count);
                    w.WriteEndObject();
                }
                w.WriteEndArray();
                w.WriteNumber("others_at_most", others);
                w.WriteNumber("total", sketch.Total);
                WriteTally(w, tally);
            },
            o =>
            {
                TabText table = TabText.ForList().Header("At least", "At most", "Key");
                foreach (HeavyHitter hit in top)
                {
                    table.Line($"{hit.AtLeast:N0}\t{hit.Count:N0}\t{Printable(hit.Key)}");
                }
                o.Write(table);
                o.WriteLine($"No other key was counted more often than {others:N0} times, of {sketch.Total:N0} in all.");
                WriteTally(o, tally);
            });
    }

    public static void Write(Surroundings around, bool json, CountMinSketch sketch, string[] keys, Tally? tally = null) => Write(
        around, json,
        w =>
        {
            w.WriteStartArray("keys");
            foreach (string key in keys)
            {
                FrequencyEstimate estimate = sketch.Estimate(key);
                w.WriteStartObject();
                w.WriteString("key", key);
                w.WriteNumber("at_least", estimate.Low);
                w.WriteNumber("at_most", estimate.Count);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteNumber("confidence", 1 - sketch.Delta);
            w.WriteNumber("total", sketch.Total);
            WriteTally(w, tally);
        },
        o =>
        {
            TabText table = TabText.ForList().Header("At least", "At most", "Key");
            foreach (string key in keys)
            {
                FrequencyEstimate estimate = sketch.Estimate(key);
                table.Line($"{estimate.Low:N0}\t{estimate.Count:N0}\t{Printable(Encoding.UTF8.GetBytes(key))}");
            }
            o.Write(table);
            o.WriteLine($"\"At most\" is certain, \"at least\" holds in {100 * (1 - sketch.Delta):0.0} of 100 answers; {sketch.Total:N0} keys in all.");
            WriteTally(o, tally);
        });

    public static void Write(Surroundings around, bool json, BloomFilter filter, Tally? tally = null) => Write(
        around, json,
        w =>
        {
            w.WriteNumber("false_positive_rate", filter.FalsePositiveRate());
            w.WriteNumber("size_bytes", filter.SizeBytes);
            WriteTally(w, tally);
        },
        o =>
        {
            o.Write(TabText.ForList().Header("False positives", "Size").Line($"{filter.FalsePositiveRate():P4}\t{filter.SizeBytes:N0} bytes"));
            WriteTally(o, tally);
        });

    private static void WriteTally(Utf8JsonWriter writer, Tally? tally)
    {
        if (tally is not null)
        {
            writer.WriteNumber("lines", tally.Lines);
            writer.WriteNumber("lines_without_key", tally.Without);
        }
    }

    private static void WriteTally(TextWriter output, Tally? tally)
    {
        if (tally?.Without > 0)
        {
            output.WriteLine($"{tally.Without:N0} of {tally.Lines:N0} lines had no such field, or a key too long to keep, and were left out.");
        }
    }

    private static string Title(string what) => char.ToUpperInvariant(what[0]) + what[1..];

    // A log may hold what would steer the terminal.
    private static string Printable(byte[] key)
    {
        var text = new StringBuilder();
        foreach (char c in Encoding.UTF8.GetString(key))
        {
            text.Append(char.IsControl(c) ? $"\\x{(int)c:x2}" : c);
        }
        return text.ToString();
    }
}
