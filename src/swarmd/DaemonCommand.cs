using System.CommandLine;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Skep.Node;
using static Swarmd.DaemonFlags;

namespace Swarmd;

/// <summary>The daemon's command line: flags in, a node run until it is told to stop.</summary>
internal static class DaemonCommand
{
    /// <summary>What swarmd returns when it could not start or had to stop.</summary>
    private const int FailureExitCode = 1;

    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Run a swarm control process");
        root.Options.Remove(root.Options.OfType<VersionOption>().Single());
        foreach (Option option in All)
        {
            root.Options.Add(option);
        }
        root.SetAction(RunAsync);
        DaemonFlags.LogLevelName.Recursive = true;
        root.Subcommands.Add(DataPlaneCommand.Make(RunAsync));
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            return Fail(parsed.Errors[0].Message + "\nRun 'swarmd --help' for usage.");
        }
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(15) }).ConfigureAwait(false);
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        if (parsed.GetValue(ShowVersion))
        {
            Console.WriteLine($"swarmd skep {typeof(DaemonCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}");
            return 0;
        }
        if (Unsupported(parsed) is { } unsupported)
        {
            return Fail(unsupported);
        }
        return await RunAsync(parsed, (logs, stop) => new NodeHost(Options(parsed), logs, TimeProvider.System).RunAsync(stop), ct).ConfigureAwait(false);
    }

    private static async Task<int> RunAsync(ParseResult parsed, Func<ILoggerFactory, CancellationToken, Task> run, CancellationToken ct)
    {
        if (Level(parsed.GetValue(LogLevelName)!) is not { } level)
        {
            return Fail($"invalid argument \"{parsed.GetValue(LogLevelName)}\" for --log-level: expected debug, info, warn, error, fatal or panic");
        }
        using ILoggerFactory logs = LoggerFactory.Create(logging => logging
            .SetMinimumLevel(level)
            .AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning)
            // A listener that cannot be had is told in one line, by the error the command ends with.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            // It tells of every call that is handed on; what goes wrong there the caller is told.
            .AddFilter("Yarp", LogLevel.None)
            .AddFilter("Grpc", level > LogLevel.Error ? level : LogLevel.Error)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                console.ColorBehavior = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || Console.IsErrorRedirected
                    ? Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled
                    : Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Default;
            })
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        try
        {
            await run(logs, ct).ConfigureAwait(false);
            return 0;
        }
        catch (NodeStartException e)
        {
            return Fail(e.Message);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static NodeOptions Options(ParseResult parsed) => new()
    {
        StateDirectory = Path.GetFullPath(parsed.GetValue(StateDir)!),
        Hostname = parsed.GetValue(Hostname) is { Length: > 0 } name ? name : Environment.MachineName,
        ControlSocket = Path.GetFullPath(parsed.GetValue(ListenControlApi)!),
        RemoteApi = parsed.GetValue(ListenRemoteApi)!,
        AdvertisedRemoteApi = parsed.GetValue(AdvertiseRemoteApi),
        JoinAddress = parsed.GetValue(JoinAddr),
        JoinToken = parsed.GetValue(JoinToken),
        EngineAddress = parsed.GetValue(EngineAddr)!,
        GenericResources = parsed.GetValue(GenericNodeResources) ?? "",
        UnlockKey = parsed.GetValue(UnlockKey),
        Autolock = parsed.GetValue(Autolock),
        ForceNewCluster = parsed.GetValue(ForceNewCluster),
        RestoreFrom = FullPath(parsed.GetValue(Restore)),
        RestorePassphraseFile = parsed.GetValue(RestorePassphraseFile),
        RestoreAsNew = parsed.GetValue(RestoreAsNew),
        AllowRootTasks = parsed.GetValue(AllowRootTasks),
        MetricsAddress = parsed.GetValue(ListenMetrics),
        Coordination = parsed.GetValue(Coordination),
        CoordinationReads = parsed.GetValue(CoordinationReads)!,
        CoordinationTls = parsed.GetValue(CoordinationTls),
        CoordinationTlsCertificate = FullPath(parsed.GetValue(CoordinationTlsCert)),
        CoordinationTlsKey = FullPath(parsed.GetValue(CoordinationTlsKey)),
        CoordinationTlsAuthority = FullPath(parsed.GetValue(CoordinationTlsCa)),
        CoordinationInsecure = parsed.GetValue(CoordinationInsecure),
        CoordinationWords = parsed.GetValue(CoordinationWords),
        CoordinationMaxConnectionsPerAddress = parsed.GetValue(CoordinationMaxConnectionsPerAddress),
        CoordinationEnforceQuotas = parsed.GetValue(CoordinationEnforceQuotas),
        CoordinationMaxBufferBytes = parsed.GetValue(CoordinationMaxBufferBytes),
        CoordinationAudit = parsed.GetValue(CoordinationAudit),
        CoordinationSaslUsers = parsed.GetValue(CoordinationSaslUsers),
    };

    private static string? FullPath(string? path) => path is null ? null : Path.GetFullPath(path);

    private static string? Unsupported(ParseResult parsed) =>
        parsed.GetResult(ExternalCa) is not null ? "--external-ca: certificates are signed by the cluster's own root CA in this version; leave the flag out"
        : parsed.GetResult(ListenDebug) is not null ? "--listen-debug: there is no Go runtime here to look into; use dotnet-trace and dotnet-counters on the process"
        : null;

    private static LogLevel? Level(string name) => name.ToLowerInvariant() switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "warn" or "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "fatal" or "panic" => LogLevel.Critical,
        _ => null,
    };

    private static int Fail(string message)
    {
        Console.Error.WriteLine("Error: " + message);
        return FailureExitCode;
    }
}
