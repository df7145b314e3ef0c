namespace Skep.Bench.Store;

/// <summary>What one operation took in one run.</summary>
internal sealed record Round(Cost Create, Cost BatchedCreate, Cost Update, Cost Lookup);

/// <summary>By the clock, and by the processor: on a busy machine only the second is the program's own.</summary>
internal readonly record struct Cost(double WallUs, double CpuUs);
