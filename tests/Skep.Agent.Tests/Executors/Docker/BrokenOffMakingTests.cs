using Docker.Swarmkit.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Executors;
using Skep.Agent.Executors.Docker;
using static Skep.Agent.Tests.Executors.Docker.DockerRun;

namespace Skep.Agent.Tests.Executors.Docker;

/// <summary>A task is removed while an engine, slow enough to be caught at it, still makes its container.</summary>
public sealed class BrokenOffMakingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-engine-").FullName;
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isThere;

    private string EngineSocket => Path.Combine(_folder, "engine.sock");

    [Fact]
    public async Task The_container_is_not_left_behind()
    {
        await using var engine = await SlowEngineAsync();
        await using var executor = new DockerExecutor(new DockerExecutorOptions { Socket = EngineSocket, StateDirectory = _folder }, NullLogger<DockerExecutor>.Instance);
        await using IController controller = executor.CreateController(NewTask(t => t.Spec.Container.PullOptions = new()), new Given());
        using var step = new CancellationTokenSource();
        Task preparing = controller.PrepareAsync(step.Token);
        await _asked.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

        await step.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => preparing);
        Task removing = controller.RemoveAsync(Within());
        _goesOn.SetResult();
        await removing;

        Assert.False(_isThere);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<WebApplication> SlowEngineAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.ListenUnixSocket(EngineSocket));
        builder.Services.AddRoutingCore();
        var engine = builder.Build();
        engine.UseRouting();
        engine.MapGet("/version", () => Results.Text("""{"ApiVersion":"1.41","MinAPIVersion":"1.12"}""", "application/json"));
        engine.MapPost("/v1.41/containers/create", async () =>
        {
            _asked.TrySetResult();
            await _goesOn.Task;
            _isThere = true;
            return Results.Text("""{"Id":"made","Warnings":[]}""", "application/json", statusCode: 201);
        });
        engine.MapPost("/v1.41/containers/{name}/stop", () => Results.StatusCode(_isThere ? 204 : 404));
        engine.MapDelete("/v1.41/containers/{name}", () =>
        {
            int said = _isThere ? 204 : 404;
            _isThere = false;
            return Results.StatusCode(said);
        });
        engine.MapFallback(() => Results.NotFound());
        await engine.StartAsync(TestContext.Current.CancellationToken);
        return engine;
    }
}
