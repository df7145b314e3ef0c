namespace Skep.Acceptance.Harness;

/// <summary>A cluster that the tests of a class share, started by the first that asks for it.</summary>
public abstract class ClusterFixture : IAsyncLifetime
{
    private SkepCluster? cluster;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
    }

    internal async Task<SkepCluster> GetAsync() => cluster ??= await StartAsync();

    internal abstract Task<SkepCluster> StartAsync();

    /// <summary>What the daemons said, if the test that ends now failed.</summary>
    internal async Task TellAsync()
    {
        if (cluster is not null && TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(await cluster.LogsAsync());
        }
    }
}

public sealed class ThreeNodes : ClusterFixture
{
    internal override Task<SkepCluster> StartAsync() => SkepCluster.StartAsync(workers: 2);
}

public sealed class OneNode : ClusterFixture
{
    internal override Task<SkepCluster> StartAsync() => SkepCluster.StartAsync(workers: 0);
}

public sealed class ThreeManagers : ClusterFixture
{
    internal override Task<SkepCluster> StartAsync() => SkepCluster.StartManagersAsync(managers: 3, workers: 1);
}
