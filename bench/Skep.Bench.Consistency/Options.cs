namespace Skep.Bench.Consistency;

/// <summary>What the command line asks for.</summary>
internal sealed record Options(string What, int Rounds, int Reads, string? Programs, bool IsInside)
{
    /// <summary>Tells the program that it runs in a network of its own already.</summary>
    public const string Inside = "--inside";

    /// <exception cref="FormatException">An argument is none that is known; the message names it.</exception>
    public static Options Parse(string[] args)
    {
        var options = new Options("all", 5, 400, null, false);
        for (int i = 0; i < args.Length; i++)
        {
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value");
            options = args[i] switch
            {
                "latency" or "partition" or "all" => options with { What = args[i] },
                "--rounds" => options with { Rounds = int.Parse(Value()) },
                "--reads" => options with { Reads = int.Parse(Value()) },
                "--bin" => options with { Programs = Value() },
                Inside => options with { IsInside = true },
                string other => throw new FormatException($"{other} is not known: [latency | partition | all] [--rounds N] [--reads N] [--bin FOLDER]"),
            };
        }
        return options;
    }
}
