// Sketches beside their peers, in the same run: redis-server, a C++ filter, coreutils.
//   Skep.Bench.Sketches [lookups|adds|log|redis|plot]... [--log-mib 1024] [--pairs 11] [--sorts 3] [--redis-keys 1000000] [--plot FILE]
using Skep.Bench.Sketches;

int Number(string name, int otherwise) => Array.IndexOf(args, name) is >= 0 and int at ? int.Parse(args[at + 1]) : otherwise;
string? Text(string name) => Array.IndexOf(args, name) is >= 0 and int at ? args[at + 1] : null;
string[] sections = ["lookups", "adds", "log", "redis", "plot"];
string[] wanted = [.. args.Where(sections.Contains)];
bool Wants(string section) => wanted.Length == 0 ? section != "plot" : wanted.Contains(section);

int pairs = Number("--pairs", 11);
Console.WriteLine($"{Environment.ProcessorCount} processors, .NET {Environment.Version}, load {Machine.Load}");
if (Wants("adds"))
{
    AddBench.Run(pairs);
}
if (Wants("lookups"))
{
    LookupBench.Run(pairs);
}
if (Wants("redis"))
{
    RedisBench.Run(Number("--redis-keys", 1_000_000), seeds: Number("--seeds", 50));
}
if (Wants("log"))
{
    LogBench.Run(Number("--log-mib", 1024), pairs, Number("--sorts", 3));
}
if (Wants("plot"))
{
    Plot.Write(Text("--plot") ?? "sketches.svg");
}
