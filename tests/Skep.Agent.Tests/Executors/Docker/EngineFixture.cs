using Skep.TestEngine;

[assembly: AssemblyFixture(typeof(Skep.Agent.Tests.Executors.Docker.EngineFixture))]

namespace Skep.Agent.Tests.Executors.Docker;

/// <summary>One engine for all tests that need one, started by the first of them.</summary>
public sealed class EngineFixture : IAsyncDisposable
{
    private readonly Lazy<Task<DockerEngine>> _engine = new(() => DockerEngine.StartAsync());

    /// <summary>The engine; skips the test where none can be had.</summary>
    public async Task<DockerEngine> GetAsync()
    {
        if (DockerEngine.WhyNot is { } why)
        {
            Assert.Skip(why);
        }

        return await _engine.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine.IsValueCreated)
        {
            await (await _engine.Value).DisposeAsync();
        }
    }
}
