using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>As many servers of ZooKeeper as of Skep, started by the first test that asks and shared by those of a class.</summary>
/// <param name="servers">How many of each.</param>
/// <param name="users">Users who may prove by SASL who they are, with their passwords; with any, audit logs are kept too.</param>
public abstract class CoordinationPair(int servers, params (string Name, string Password)[] users) : IAsyncLifetime
{
    private ICoordinationServers? real, ours;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (ICoordinationServers? started in (ICoordinationServers?[])[real, ours])
        {
            if (started is not null)
            {
                await started.DisposeAsync();
            }
        }
    }

    /// <summary>Has both asked the same at once; both must be content, and what they were told must be the same text.</summary>
    internal async Task SameAsync(Func<string, Task<Said>> ask, Func<string, Task<Said>>? askOurs = null)
    {
        real ??= await ZooKeeperServers.StartAsync(servers, users);
        ours ??= await SkepServers.StartAsync(servers, users);
        Said[] said = await Task.WhenAll(ask(real.Connect), (askOurs ?? ask)(ours.Connect));
        Assert.True(said[0].Exit == 0, $"ZooKeeper itself is not content, so the judge is wrong:\n{said[0].Errors}{Tail(said[0].Output)}");
        string? difference = FirstDifference(Compared(said[0].Output), Compared(said[1].Output));
        Assert.True(difference is null, $"{difference}\nThe judge of Skep ended with {said[1].Exit}: {said[1].Errors}");
        Assert.True(said[1].Exit == 0, $"Skep: {said[1].Errors}\n{string.Join('\n', said[1].Output.Split('\n').Where(l => l.Contains("NOT SANE", StringComparison.Ordinal)))}\n{Tail(said[1].Output)}");
    }

    /// <summary>The audit logs of both, once they hold a line.</summary>
    internal async Task<(IReadOnlyList<string> Real, IReadOnlyList<string> Ours)> AuditsAsync(string last)
    {
        await Wait.Until($"both audit logs tell of {last}", async () =>
            (await real!.AuditAsync()).Any(l => l.Contains(last, StringComparison.Ordinal)) && (await ours!.AuditAsync()).Any(l => l.Contains(last, StringComparison.Ordinal)), ours!.LogsAsync);
        return (await real!.AuditAsync(), await ours!.AuditAsync());
    }

    /// <summary>What the servers said, if the test that ends now failed.</summary>
    internal async Task TellAsync()
    {
        if (ours is not null && TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(await ours.LogsAsync());
        }
    }

    /// <summary>The first line that differs, after those before it; null where all are the same.</summary>
    internal static string? FirstDifference(IReadOnlyList<string> real, IReadOnlyList<string> ours)
    {
        const int Context = 6;
        int same = real.Zip(ours).TakeWhile(pair => pair.First == pair.Second).Count();
        if (same == real.Count && same == ours.Count)
        {
            return null;
        }
        string Line(IReadOnlyList<string> lines) => same < lines.Count ? lines[same] : "(it said no more)";
        IEnumerable<string> before = real.Take(same).TakeLast(Context).Select(l => "           " + l);
        return $"Line {same + 1} differs:\n{string.Join('\n', before)}\nZooKeeper: {Line(real)}\nSkep:      {Line(ours)}";
    }

    // What servers may rightly do differently is for the judge alone.
    private static string[] Compared(string output) => [.. output.Split('\n').Where(l => !l.StartsWith("may differ:", StringComparison.Ordinal))];

    private static string Tail(string text) => text.Length <= 2000 ? text : text[^2000..];
}

public sealed class OneServer() : CoordinationPair(servers: 1);

public sealed class ThreeServers() : CoordinationPair(servers: 3);
