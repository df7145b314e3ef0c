using System.Diagnostics;
using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Acceptance.Harness;
using Skep.Simulation;

namespace Skep.Acceptance.Managers.Storms;

/// <summary>A register: a config's label. Its history is kept, and the greatest version that a write was acknowledged with.</summary>
internal sealed class Register(string id, string name)
{
    // The checker takes 128; a read is part of each write, and some are under way when it is full.
    private const int MostOperations = 90;

    private readonly List<Operation> history = [];
    private int lastValue;

    public string Id => id;

    public string Name => name;

    public ulong AcknowledgedVersion { get; private set; }

    public int AcknowledgedWrites { get; private set; }

    public bool IsFull
    {
        get
        {
            lock (history)
            {
                return history.Count >= MostOperations;
            }
        }
    }

    public int NextValue() => Interlocked.Increment(ref lastValue);

    public void Add(Operation operation, ulong version)
    {
        lock (history)
        {
            history.Add(operation);
            if (operation is { IsPut: true, Ended: not null })
            {
                AcknowledgedVersion = Math.Max(AcknowledgedVersion, version);
                AcknowledgedWrites++;
            }
        }
    }

    public IReadOnlyList<Operation> History
    {
        get
        {
            lock (history)
            {
                return [.. history];
            }
        }
    }
}

/// <summary>Clients that write and read registers through random managers until they are told to stop.</summary>
internal sealed class StormClients(IReadOnlyList<Control.ControlClient> managers, int seed)
{
    public const string StaleHeader = "skep-may-be-stale";
    private const string Label = "value";
    private const int Clients = 6;
    private const int OpenRegisters = 6;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(50);

    private readonly Register?[] open = new Register?[OpenRegisters];
    private readonly List<Register> all = [];
    private int created;
    private int staleReads;
    private int failures;

    public IReadOnlyList<Register> Registers
    {
        get
        {
            lock (all)
            {
                return [.. all];
            }
        }
    }

    public string Summary => $"{Registers.Count} registers, {Registers.Sum(r => r.AcknowledgedWrites)} writes acknowledged, "
        + $"{Registers.Sum(r => r.History.Count(o => !o.IsPut))} current reads, {staleReads} reads with a warning, {failures} calls failed";

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, Clients).Select(i => Task.Run(() => RunAsync(new Random(seed + i), stop), CancellationToken.None)));

    /// <summary>Reads one register and notes it; null when that manager cannot say what is current.</summary>
    public async Task<Config?> ReadAsync(Control.ControlClient manager, Register register)
    {
        long began = Stopwatch.GetTimestamp();
        using AsyncUnaryCall<GetConfigResponse> call = manager.GetConfigAsync(new() { ConfigId = register.Id }, deadline: DateTime.UtcNow + Patience);
        Config config = (await call).Config;
        if ((await call.ResponseHeadersAsync).GetValue(StaleHeader) is not null)
        {
            Interlocked.Increment(ref staleReads);
            return null;
        }
        register.Add(new Operation(false, ValueOf(config), began, Stopwatch.GetTimestamp()), 0);
        return config;
    }

    public static int ValueOf(Config config) => int.Parse(config.Spec.Annotations.Labels[Label]);

    private async Task RunAsync(Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Control.ControlClient manager = managers[random.Next(managers.Count)];
            int place = random.Next(OpenRegisters);
            TimeSpan pause = Pause;
            try
            {
                if (open[place] is not { IsFull: false } register)
                {
                    await OpenAsync(manager, place);
                }
                else if (random.Next(2) == 0)
                {
                    await ReadAsync(manager, register);
                }
                else
                {
                    await WriteAsync(manager, managers[random.Next(managers.Count)], register);
                }
            }
            catch (RpcException)
            {
                Interlocked.Increment(ref failures);
                pause = PauseAfterFailure;
            }
            await Task.Delay(pause, CancellationToken.None);
        }
    }

    // Whether a creation without an answer took place matters not: the next has another name.
    private async Task OpenAsync(Control.ControlClient manager, int place)
    {
        string name = $"register-{Interlocked.Increment(ref created)}";
        var spec = new ConfigSpec { Annotations = new() { Name = name, Labels = { [Label] = "0" } }, Data = Google.Protobuf.ByteString.CopyFromUtf8("register") };
        Config config = (await manager.CreateConfigAsync(new() { Spec = spec }, deadline: DateTime.UtcNow + Patience)).Config;
        var register = new Register(config.Id, name);
        lock (all)
        {
            all.Add(register);
        }
        open[place] = register;
    }

    private async Task WriteAsync(Control.ControlClient reader, Control.ControlClient writer, Register register)
    {
        if (await ReadAsync(reader, register) is not { } config)
        {
            return;
        }
        int value = register.NextValue();
        ConfigSpec spec = config.Spec.Clone();
        spec.Annotations.Labels[Label] = $"{value}";
        long began = Stopwatch.GetTimestamp();
        try
        {
            UpdateConfigResponse written = await writer.UpdateConfigAsync(new() { ConfigId = config.Id, ConfigVersion = config.Meta.Version, Spec = spec }, deadline: DateTime.UtcNow + Patience);
            register.Add(new Operation(true, value, began, Stopwatch.GetTimestamp()), written.Config.Meta.Version.Index);
        }
        catch (RpcException e) when (e.Status.Detail.Contains("out of sequence", StringComparison.Ordinal))
        {
            // Another was quicker; this one was not taken.
        }
        catch (RpcException)
        {
            register.Add(new Operation(true, value, began, null), 0);
            throw;
        }
    }
}
