using System.Globalization;

namespace Skep.Bench.Coordination;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    public static readonly string[] Tables = ["rates", "sessions", "watches", "start", "gap"];

    public string What { get; private set; } = "all";

    public int Rounds { get; private set; } = 3;

    public double Seconds { get; private set; } = 5;

    public int Kills { get; private set; } = 5;

    /// <summary>How many sessions and watches.</summary>
    public int Sessions { get; private set; } = 10_000;

    /// <summary>How many nodes a server starts with.</summary>
    public int Nodes { get; private set; } = 1_000_000;

    /// <summary>How many client processes share what is outstanding.</summary>
    public int Clients { get; private set; } = 2;

    /// <summary>What asks for the rates: ZooKeeper's C library, or frames on sockets, which leaves the servers more of the machine.</summary>
    public string Client { get; private set; } = "library";

    /// <summary>Folder with swarmd; null for bin/ of the repository.</summary>
    public string? Bin { get; private set; }

    public bool RunsSkep => Only is null or "skep";

    public bool RunsZooKeeper => Only is null or "zookeeper";

    private string? Only { get; set; }

    /// <exception cref="FormatException">The command line is not understood; says what is.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options();
        int at = 0;
        if (args.Length > 0 && !args[0].StartsWith('-'))
        {
            options.What = args[at++];
        }
        if (options.What != "all" && !Tables.Contains(options.What))
        {
            throw new FormatException($"there is no \"{options.What}\" here: {string.Join(", ", Tables)} or all");
        }
        for (; at < args.Length; at += 2)
        {
            string value = at + 1 < args.Length ? args[at + 1] : throw new FormatException($"{args[at]} needs a value");
            switch (args[at])
            {
                case "--rounds": options.Rounds = Number(args[at], value); break;
                case "--seconds": options.Seconds = Number(args[at], value); break;
                case "--kills": options.Kills = Number(args[at], value); break;
                case "--sessions": options.Sessions = Number(args[at], value); break;
                case "--nodes": options.Nodes = Number(args[at], value); break;
                case "--clients": options.Clients = Number(args[at], value); break;
                case "--client" when value is "library" or "sockets": options.Client = value; break;
                case "--client": throw new FormatException("--client takes library or sockets");
                case "--bin": options.Bin = value; break;
                case "--only" when value is "skep" or "zookeeper": options.Only = value; break;
                case "--only": throw new FormatException("--only takes skep or zookeeper");
                default:
                    throw new FormatException($"there is no {args[at]}: --rounds, --seconds, --only, --kills, --sessions, --nodes, --clients, --client or --bin");
            }
        }
        return options;
    }

    /// <summary>The same for each contender by itself.</summary>
    public IEnumerable<Options> OneByOne() =>
        ((string[])["skep", "zookeeper"]).Where(name => Only is null || Only == name).Select(name => this with { Only = name });

    private static int Number(string flag, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new FormatException($"{flag} takes a whole number above 0");
}
