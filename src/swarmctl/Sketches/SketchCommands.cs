using System.CommandLine;
using Skep.Sketches;
using Swarmctl.Connection;
using Swarmctl.Flags;

namespace Swarmctl.Sketches;

/// <summary><c>swarmctl sketch …</c>: questions about large files, answered in little memory. None needs a manager.</summary>
internal static class SketchCommands
{
    private const int MostShown = 1_000_000;
    private static readonly Option<int> Count = new("--count", "-k") { Description = "How many keys to show", HelpName = "int", DefaultValueFactory = _ => 10 };
    private static readonly Option<string[]> Key = CommonFlags.List("--key", "key to ask for");
    private static readonly Option<string[]> From = CommonFlags.List("--from", "saved sketch to go on with");
    private static readonly Option<double> Epsilon = new("--epsilon") { Description = "Error, as a part of all counts", HelpName = "number", DefaultValueFactory = _ => 5e-5 };

    // What fits a processor's own cache; the bounds of the keys shown are certain in any case.
    private static readonly Option<double> TopEpsilon = new("--epsilon") { Description = "Error of the keys not shown, as a part of all counts", HelpName = "number", DefaultValueFactory = _ => 2e-4 };
    private static readonly Option<double> Delta = new("--delta") { Description = "Chance of a larger error", HelpName = "number", DefaultValueFactory = _ => 0.02 };
    private static readonly Option<long> Keys = new("--keys") { Description = "How many distinct keys the filter is made for", HelpName = "int", DefaultValueFactory = _ => 1_000_000 };
    private static readonly Option<double> Rate = new("--rate") { Description = "False-positive rate of the filter", HelpName = "number", DefaultValueFactory = _ => 0.01 };
    private static readonly Option<string[]> Against = CommonFlags.List("--against", "saved filter to ask; of several, each key is shown with the filters that may hold it");
    private static readonly Option<bool> Invert = new("--invert") { Description = "Show the keys that are surely in no filter" };
    private static readonly Option<bool> Learn = new("--learn") { Description = "Add the keys that were not in the filter, and save it (in place, or with -o)" };
    private static readonly Argument<string[]> Sketches = Verb.Words("SKETCH");

    public static Command All() => Verb.Group(
        "sketch", "Count keys of files in fixed memory",
        Make("bloom", "Make a filter that knows which keys it has seen, or ask one", Bloom, [.. Input.All, Keys, Rate, Against, Invert, Learn, Saved.Output, Saved.SeedFile]),
        Make("common", "Estimate how many distinct keys two sketches have in common", Common, Sketches, Saved.SeedFile),
        Make("distinct", "Count distinct keys", Distinct, [.. Input.All, From, Saved.Output, Saved.Redis, Saved.SeedFile]),
        Make("freq", "Count how often keys occur", Frequency, [.. Input.All, Key, From, Epsilon, Delta, Saved.Output, Saved.SeedFile]),
        Make("lines", "Count lines, as the other commands read them", Lines, Input.All),
        Make("merge", "Merge saved sketches of the same kind", Merge, Sketches, Count, Saved.Output, Saved.Redis, Saved.SeedFile),
        Make("top", "Find the most frequent keys", Top, [.. Input.All, Count, From, TopEpsilon, Delta, Saved.Output, Saved.SeedFile]));

    private static Command Make(string name, string description, Action<ParseResult, Surroundings, bool> run, params Symbol[] parts)
    {
        Command command = Verb.Make(name, description, static (_, _) => Task.CompletedTask, parts);
        command.SetAction(parsed =>
        {
            try
            {
                run(parsed, (Surroundings)parsed.InvocationConfiguration, parsed.GetValue(GlobalFlags.Format) == "json");
            }
            catch (Exception e) when (e is ArgumentOutOfRangeException or MergeRefusedException or OverflowException)
            {
                throw new UserException(e.Message);
            }
        });
        return command;
    }

    private static void Distinct(ParseResult flags, Surroundings around, bool json)
    {
        SketchSeed? seed = Saved.Seed(flags);
        HyperLogLog[] parts = [.. Enumerable.Range(0, Input.Workers(1)).Select(_ => new HyperLogLog(seed))];
        Tally? tally = Read<DistinctSink>(flags, around, () => [.. parts.Select(static p => new DistinctSink(p))]);
        for (int i = 1; i < parts.Length; i++)
        {
            parts[0].Merge(parts[i]);
        }
        foreach (string path in flags.GetValue(From) ?? [])
        {
            parts[0].Merge(Saved.ReadDistinct(path, seed));
        }
        Save(flags, parts[0]);
        Answers.Write(around, json, parts[0].Estimate(), "distinct", tally);
    }

    // The sketch keeps ten times as many, in each part.
    private static int CountOf(ParseResult flags) =>
        flags.GetValue(Count) is >= 1 and <= MostShown and var count ? count : throw new UserException($"--count {flags.GetValue(Count)}: expected 1 to {MostShown}");

    private static void Top(ParseResult flags, Surroundings around, bool json)
    {
        SketchSeed? seed = Saved.Seed(flags);
        int count = CountOf(flags);
        double epsilon = flags.GetValue(TopEpsilon), delta = flags.GetValue(Delta);
        HeavyHitters New() => new(Math.Max(1000, count * 10), epsilon, delta, seed);
        HeavyHitters first = New();
        long bytes = new CountMinSketch(epsilon, delta).SizeBytes;
        HeavyHitters[] parts = [first, .. Enumerable.Range(1, Input.Workers(bytes) - 1).Select(_ => New())];
        Tally? tally = Read<TopSink>(flags, around, () => [.. parts.Select(static p => new TopSink(p))]);
        foreach (HeavyHitters part in parts[1..])
        {
            first.Merge(part);
        }
        foreach (string path in flags.GetValue(From) ?? [])
        {
            first.Merge(Saved.Parse(path, Saved.Read(path), seed, HeavyHitters.Parse));
        }
        Save(flags, first.ToBytes);
        Answers.Write(around, json, first, count, tally);
    }

    private static void Frequency(ParseResult flags, Surroundings around, bool json)
    {
        SketchSeed? seed = Saved.Seed(flags);
        double epsilon = flags.GetValue(Epsilon), delta = flags.GetValue(Delta);
        var first = new CountMinSketch(epsilon, delta, seed);
        CountMinSketch[] parts = [first, .. Enumerable.Range(1, Input.Workers(first.SizeBytes) - 1).Select(_ => new CountMinSketch(epsilon, delta, seed))];
        Tally? tally = Read<FrequencySink>(flags, around, () => [.. parts.Select(static p => new FrequencySink(p))]);
        foreach (CountMinSketch part in parts[1..])
        {
            first.Merge(part);
        }
        foreach (string path in flags.GetValue(From) ?? [])
        {
            first.Merge(Saved.Parse(path, Saved.Read(path), seed, CountMinSketch.Parse));
        }
        Save(flags, first.ToBytes);
        Answers.Write(around, json, first, flags.GetValue(Key) ?? [], tally);
    }

    private static void Bloom(ParseResult flags, Surroundings around, bool json)
    {
        SketchSeed? seed = Saved.Seed(flags);
        if (flags.GetValue(Against) is { Length: > 0 } against)
        {
            Ask(flags, around, [.. against.Select(path => (path, Saved.ReadBloom(path, seed)))]);
            return;
        }
        if (flags.GetValue(Invert) || flags.GetValue(Learn))
        {
            throw new UserException("--invert and --learn go with --against FILTER");
        }
        if (flags.GetValue(Saved.Output) is null)
        {
            throw new UserException("a filter is made to be saved: give -o FILE, or ask one with --against FILE");
        }
        var filter = new ConcurrentBloomFilter(flags.GetValue(Keys), flags.GetValue(Rate), seed);
        Tally tally = Input.Feed(flags, around, [.. Enumerable.Range(0, Input.Workers(1)).Select(_ => new BloomSink(filter))]);
        BloomFilter made = filter.Snapshot();
        Save(flags, made.ToBytes);
        Answers.Write(around, json, made, tally);
    }

    private static void Ask(ParseResult flags, Surroundings around, (string Name, BloomFilter Filter)[] filters)
    {
        bool learn = flags.GetValue(Learn);
        if (learn && filters.Length > 1)
        {
            throw new UserException("--learn goes with one --against FILTER, the one that learns");
        }

        // One worker, so that keys come out in the order in which they went in.
        around.Output.Flush();
        using var output = new BufferedStream(around.KeyOutput(), 64 * 1024);
        var lookUp = new LookUp(filters, flags.GetValue(Invert), learn, output);
        Input.Feed<LookUpSink>(flags, around, [new LookUpSink(lookUp)]);
        output.Flush();
        if (learn)
        {
            Saved.Save(flags.GetValue(Saved.Output) ?? filters[0].Name, filters[0].Filter.ToBytes());
        }
    }

    private static void Common(ParseResult flags, Surroundings around, bool json)
    {
        if (flags.GetValue(Sketches) is not [var first, var second])
        {
            throw new UserException("common takes two sketches that `sketch distinct -o FILE` saved");
        }
        SketchSeed? seed = Saved.Seed(flags);
        Answers.Write(around, json, HyperLogLog.Intersection(Saved.ReadDistinct(first, seed), Saved.ReadDistinct(second, seed)), "common");
    }

    private static void Lines(ParseResult flags, Surroundings around, bool json)
    {
        Tally tally = Input.Feed<LineSink>(flags, around, new LineSink[Input.Workers(1)]);
        Answers.Write(
            around, json,
            w =>
            {
                w.WriteNumber("lines", tally.Lines);
                w.WriteNumber("lines_without_key", tally.Without);
            },
            o => o.WriteLine(tally.Lines));
    }

    private static void Merge(ParseResult flags, Surroundings around, bool json)
    {
        if (flags.GetValue(Sketches) is not [var firstPath, .. var others])
        {
            throw new UserException("merge takes saved sketches, all of the same kind");
        }
        SketchSeed? seed = Saved.Seed(flags);
        switch (Sketch.KindOf(Saved.Read(firstPath)))
        {
            case SketchKind.HyperLogLog:
                HyperLogLog distinct = MergeAll(firstPath, others, p => Saved.ReadDistinct(p, seed), static (a, b) => a.Merge(b));
                Save(flags, distinct);
                Answers.Write(around, json, distinct.Estimate(), "distinct");
                break;
            case SketchKind.HeavyHitters:
                HeavyHitters hitters = MergeAll(firstPath, others, p => Saved.Parse(p, Saved.Read(p), seed, HeavyHitters.Parse), static (a, b) => a.Merge(b));
                Save(flags, hitters.ToBytes);
                Answers.Write(around, json, hitters, CountOf(flags));
                break;
            case SketchKind.CountMin:
                CountMinSketch counts = MergeAll(firstPath, others, p => Saved.Parse(p, Saved.Read(p), seed, CountMinSketch.Parse), static (a, b) => a.Merge(b));
                Save(flags, counts.ToBytes);
                Answers.Write(around, json, counts, []);
                break;
            case SketchKind.Bloom:
                BloomFilter filter = MergeAll(firstPath, others, p => Saved.ReadBloom(p, seed), static (a, b) => a.Merge(b));
                Save(flags, filter.ToBytes);
                Answers.Write(around, json, filter);
                break;
            default:
                throw new UserException($"{firstPath} is no saved sketch");
        }
    }

    private static T MergeAll<T>(string first, string[] others, Func<string, T> read, Action<T, T> merge)
    {
        T all = read(first);
        foreach (string path in others)
        {
            try
            {
                merge(all, read(path));
            }
            catch (MergeRefusedException e)
            {
                throw new UserException($"{path} cannot be merged with {first}: {e.Message}");
            }
        }
        return all;
    }

    // What was saved can be asked without reading anything new.
    private static Tally? Read<TSink>(ParseResult flags, Surroundings around, Func<TSink[]> sinks)
        where TSink : struct, Reading.IKeySink =>
        flags.GetValue(From) is { Length: > 0 } && flags.GetValue(Input.Files) is not { Length: > 0 } ? null : Input.Feed<TSink>(flags, around, sinks());

    private static void Save(ParseResult flags, HyperLogLog sketch)
    {
        if (flags.GetValue(Saved.Redis) && (sketch.Profile == SketchProfile.Keyed || flags.GetValue(Saved.Output) is null))
        {
            throw new UserException("--redis goes with -o FILE, and without --seed-file: Redis knows no other hash than its own");
        }
        Save(flags, flags.GetValue(Saved.Redis) ? sketch.ToRedisBytes : sketch.ToBytes);
    }

    private static void Save(ParseResult flags, Func<byte[]> bytes)
    {
        if (flags.GetValue(Saved.Output) is { } path)
        {
            Saved.Save(path, bytes());
        }
    }
}
