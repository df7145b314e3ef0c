using System.CommandLine;
using System.Globalization;
using Swarmctl.Connection;
using Swarmctl.Flags;
using Swarmctl.Sketches.Reading;

namespace Swarmctl.Sketches;

/// <summary>Where keys come from: files or standard input, and which part of each line.</summary>
internal static class Input
{
    public static readonly Argument<string[]> Files = Verb.Words("FILE");

    public static readonly Option<string> Csv = new("--csv") { Description = "Read a column of comma-separated values: its number from 1, or its name in the header line", HelpName = "string" };
    public static readonly Option<string> Delimiter = new("--delimiter") { Description = "What stands between the columns (\"tab\" for a tab)", HelpName = "string", DefaultValueFactory = _ => "," };
    public static readonly Option<string> Json = new("--json") { Description = "Read a field of JSON lines (a.b for what is nested)", HelpName = "string" };

    // Beyond this, the disk or the memory is the limit.
    private const int MaxWorkers = 16;

    public static Symbol[] All => [Files, Csv, Delimiter, Json];

    /// <summary>How many workers there are to be, if each needs so much memory of its own.</summary>
    public static int Workers(long bytesEach) =>
        (int)Math.Clamp(12_000_000 / Math.Max(1, bytesEach), 1, Math.Min(MaxWorkers, Environment.ProcessorCount));

    /// <summary>Feeds every key to the sinks, each used by one thread alone.</summary>
    public static Tally Feed<TSink>(ParseResult flags, Surroundings around, IReadOnlyList<TSink> sinks)
        where TSink : struct, IKeySink
    {
        if (flags.GetValue(Csv) is { } column)
        {
            if (flags.GetValue(Json) is not null)
            {
                throw new UserException("--csv and --json exclude each other");
            }
            byte delimiter = ReadDelimiter(flags.GetValue(Delimiter)!);
            if (int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                return number > 0
                    ? Feed(flags, around, sinks, new CsvField(number - 1, delimiter))
                    : throw new UserException("columns are counted from 1");
            }
            return Feed(flags, around, sinks, default(CsvField), header => CsvField.Find(header, column, delimiter) is >= 0 and int at
                ? new CsvField(at, delimiter)
                : throw new UserException($"the header line has no column \"{column}\""));
        }
        return flags.GetValue(Json) is { } path
            ? Feed(flags, around, sinks, new JsonField(path))
            : Feed(flags, around, sinks, default(WholeLine));
    }

    private static Tally Feed<TField, TSink>(ParseResult flags, Surroundings around, IReadOnlyList<TSink> sinks, TField field, HeaderReader<TField>? ofHeader = null)
        where TField : struct, IField
        where TSink : struct, IKeySink
    {
        string[] names = flags.GetValue(Files) is { Length: > 0 } given ? given : ["-"];
        var tally = new Tally();
        foreach (string name in names)
        {
            // A file at a time: each may have its column elsewhere.
            using InputFile file = InputFile.Open(name, around, withHeader: ofHeader is not null);
            TField here = ofHeader is null ? field : ofHeader(file.Header);
            LineConsumer<TField, TSink>[] consumers = [.. sinks.Select(s => new LineConsumer<TField, TSink>(here, s))];
            using (var progress = new Progress(around.Error, around.ErrorIsTerminal(), file.LengthBytes))
            {
                file.Feed(new Feeder(consumers, progress));
            }
            tally.Lines += consumers.Sum(static c => c.Lines);
            tally.Without += consumers.Sum(static c => c.Without);
        }
        return tally;
    }

    private static byte ReadDelimiter(string text) => text switch
    {
        "tab" or "\\t" => (byte)'\t',
        [var one] when one < 128 && one is not ('"' or '\n' or '\r') => (byte)one,
        _ => throw new UserException($"invalid argument \"{text}\" for --delimiter: expected one character, or tab"),
    };

    private delegate TField HeaderReader<TField>(ReadOnlySpan<byte> header);
}

/// <summary>What was read.</summary>
internal sealed class Tally
{
    public long Lines { get; set; }

    /// <summary>Lines that had no such field, or a key too long to keep.</summary>
    public long Without { get; set; }
}
