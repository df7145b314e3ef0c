using System.CommandLine;
using System.Globalization;
using Docker.Swarmkit.V1;
using Skep.Api;
using Swarmctl.Connection;
using F = Swarmctl.Services.ServiceFlags;

namespace Swarmctl.Services;

/// <summary>Limits and reservations of CPU, memory and user-defined resources.</summary>
internal static class ResourceFlags
{
    private const long NanoPerCpu = 1_000_000_000;

    public static void Merge(Session s, TaskSpec task)
    {
        if (s.Has(F.MemoryReservation))
        {
            Reservations(task).MemoryBytes = Memory(s, F.MemoryReservation);
        }
        if (s.Has(F.MemoryLimit))
        {
            Limits(task).MemoryBytes = Memory(s, F.MemoryLimit);
        }
        if (s.Has(F.CpuReservation))
        {
            Reservations(task).NanoCpus = Cpu(s, F.CpuReservation);
        }
        if (s.Has(F.CpuLimit))
        {
            Limits(task).NanoCpus = Cpu(s, F.CpuLimit);
        }
        if (s.Has(F.GenericResources))
        {
            Reservations(task).Generic.Clear();
            Reservations(task).Generic.AddRange(s.Flags.GetValue(F.GenericResources)!.Split(',').Select(Generic));
        }
    }

    private static Resources Reservations(TaskSpec task) => (task.Resources ??= new()).Reservations ??= new();

    private static Resources Limits(TaskSpec task) => (task.Resources ??= new()).Limits ??= new();

    private static long Memory(Session s, Option<string> flag)
    {
        string text = s.Flags.GetValue(flag)!;
        return ByteSizes.TryParse(text, out long bytes)
            ? bytes
            : throw new UserException($"invalid argument \"{text}\" for {flag.Name}: expected a size such as 512m or 2g");
    }

    private static long Cpu(Session s, Option<string> flag)
    {
        string text = s.Flags.GetValue(flag)!;
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal cpus) || cpus > 1_000_000)
        {
            throw new UserException($"invalid argument \"{text}\" for {flag.Name}: expected a number of cores such as 0.5 or 2");
        }
        decimal nano = cpus * NanoPerCpu;
        return nano == decimal.Truncate(nano)
            ? (long)nano
            : throw new UserException($"invalid argument \"{text}\" for {flag.Name}: a CPU value cannot have more than 9 decimal places");
    }

    private static GenericResource Generic(string text)
    {
        string[] parts = text.Split('=', 2, StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || parts[0].Length == 0 || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long count))
        {
            throw new UserException($"invalid argument \"{text}\" for --generic-resources: expected kind=count, such as gpu=3");
        }
        return new() { DiscreteResourceSpec = new() { Kind = parts[0], Value = count } };
    }
}
