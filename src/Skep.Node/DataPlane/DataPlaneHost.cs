using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Control;
using Skep.DataPlane.Engine;
using Skep.Node.Metrics;
using Skep.V1;

namespace Skep.Node.DataPlane;

/// <summary>
/// A data plane as a process of its own, which forwards whatever becomes of the node's daemon: opens the ports, listens, and gives up its
/// rights before it obeys anybody.
/// </summary>
/// <param name="options">What to run.</param>
/// <param name="logs">Where it says what it does.</param>
/// <param name="time">The clock.</param>
public sealed partial class DataPlaneHost(DataPlaneHostOptions options, ILoggerFactory logs, TimeProvider time)
{
    private readonly ILogger logger = logs.CreateLogger<DataPlaneHost>();

    /// <summary>Runs until it is told to stop.</summary>
    /// <exception cref="NodeStartException">It cannot start, or its worker has failed; the message says why.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        await using DataPlaneEngine engine = Open();
        DataPlaneTable? table = options.TableFile is { } file ? Read(file) : null;
        using var service = new DataPlaneService(engine, time);
        await using DataPlaneServer server = await DataPlaneServer.StartAsync(options.Socket, service, logs).ConfigureAwait(false);
        using var meter = DataPlaneMetrics.Of(engine, time);
        await using MetricsServer? metrics = options.MetricsAddress is { } address ? await MetricsServer.StartAsync(address, logs).ConfigureAwait(false) : null;
        string user = options.User is { } wanted ? Privileges.GiveUp(wanted) : Environment.UserName;
        if (table is not null)
        {
            // Only now: what it names is connected to.
            Apply(engine, table);
        }
        LogListening(logger, options.Socket, user);
        await Task.WhenAny(engine.Ended, Task.Delay(Timeout.Infinite, ct)).ConfigureAwait(false);
        if (engine.Ended.Exception is { } failure)
        {
            throw new NodeStartException($"the worker has failed and nothing is forwarded any more: {failure.GetBaseException().Message}", failure);
        }
    }

    private DataPlaneEngine Open()
    {
        try
        {
            return new DataPlaneEngine(options.Engine, time, logs.CreateLogger<DataPlaneEngine>());
        }
        catch (Exception e) when (e is IOException or BalancerConfigException or ArgumentException)
        {
            throw new NodeStartException(e.Message, e);
        }
    }

    private static DataPlaneTable Read(string file)
    {
        try
        {
            return JsonParser.Default.Parse<DataPlaneTable>(File.ReadAllText(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidJsonException)
        {
            throw new NodeStartException($"--table {file}: {e.Message}", e);
        }
    }

    private void Apply(DataPlaneEngine engine, DataPlaneTable table)
    {
        try
        {
            engine.Apply(table);
        }
        catch (BalancerConfigException e)
        {
            throw new NodeStartException($"--table {options.TableFile}: {e.Message}", e);
        }
        catch (StaleTableException)
        {
            // Somebody was quicker by the socket, and knows better than the file.
        }
    }

    [LoggerMessage(EventId = 6101, Level = LogLevel.Information, Message = "The data plane listens on {Socket}, as user {User}")]
    private static partial void LogListening(ILogger logger, string socket, string user);
}
