using System.Runtime.CompilerServices;
using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>A record of a task's log.</summary>
/// <param name="UnixNs">When it was read from the task.</param>
/// <param name="Stderr">Whether from stderr; else from stdout.</param>
/// <param name="Data">A line with its newline, or a piece of a very long one.</param>
internal sealed record LogEntry(long UnixNs, bool Stderr, byte[] Data);

/// <summary>
/// The node's supervisor, whichever process it is at the moment: when one is gone the next is started, and what
/// is safe to ask again is asked again.
/// </summary>
internal sealed class SupervisorClient(SupervisorLauncher launcher) : IAsyncDisposable
{
    private const int Attempts = 4;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private SupervisorSession? _session;

    /// <summary>
    /// Whether a supervisor runs, was killed, or has left ended tasks behind; if not, there is nobody to ask and no need
    /// to start one.
    /// </summary>
    public bool MayKnowTasks => _session is { IsClosed: false } || launcher.MayKnowTasks;

    /// <summary>All tasks the supervisor knows.</summary>
    public async Task<IReadOnlyList<TaskReport>> ListAsync(CancellationToken ct) => (await SessionAsync(ct)).All();

    /// <summary>What the supervisor says of itself; starts one if there is none.</summary>
    public async Task<Welcome> WelcomeAsync(CancellationToken ct) => (await SessionAsync(ct)).Welcome;

    /// <summary>What is known of a task; null if the supervisor does not know it.</summary>
    public async Task<TaskReport?> FindAsync(string taskId, CancellationToken ct) => (await SessionAsync(ct)).Find(taskId);

    /// <summary>Starts a task; returns when its program runs. One that was started before is left as it is.</summary>
    /// <exception cref="SupervisorException">It cannot be started.</exception>
    public async Task StartAsync(StartRequest request, CancellationToken ct)
    {
        try
        {
            await AskAsync(FrameKind.Start, request.Write, ct);
        }
        catch (SupervisorException e) when (e.Code == ReplyCode.AlreadyExists)
        {
        }
    }

    /// <summary>Asks a task to stop; after the grace all of it is killed. Returns when it has been asked.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="signal">0 for its own stop signal.</param>
    /// <param name="graceMs">Below 0 for its own grace.</param>
    /// <param name="ct">Gives up waiting.</param>
    public async Task StopAsync(string taskId, int signal, long graceMs, CancellationToken ct)
    {
        try
        {
            await AskAsync(FrameKind.Stop, w =>
            {
                w.Text(taskId);
                w.I32(signal);
                w.I64(graceMs);
            }, ct);
        }
        catch (SupervisorException e) when (e.Code == ReplyCode.NotFound)
        {
        }
    }

    /// <summary>Forgets a task with its log and its exit status, killing it first if it runs.</summary>
    public async Task RemoveAsync(string taskId, CancellationToken ct)
    {
        await AskAsync(FrameKind.Remove, w => w.Text(taskId), ct);
        _session?.Forget(taskId);
    }

    /// <summary>Waits for a task's end, over as many supervisors as that takes. Null if none knows it.</summary>
    public async Task<TaskReport?> WaitForEndAsync(string taskId, CancellationToken ct)
    {
        while (true)
        {
            var session = await SessionAsync(ct);
            try
            {
                return await session.WaitForEndAsync(taskId, ct);
            }
            catch (SupervisorGoneException)
            {
                // Its successor finds the task again, or tells that it is gone.
            }
        }
    }

    /// <summary>Reads a task's log, on a connection of its own so that nothing else waits behind it.</summary>
    /// <exception cref="SupervisorException">There is no such task.</exception>
    public async IAsyncEnumerable<LogEntry> ReadLogAsync(LogRequest request, [EnumeratorCancellation] CancellationToken ct)
    {
        using var frames = new FrameStream(await launcher.ConnectAsync(ct));
        await frames.GreetAsync(watch: false, ct);
        await frames.WriteAsync(FrameKind.Logs, 1, request.Write, ct);
        while (await frames.ReadAsync(ct) is { } frame)
        {
            if (frame.Kind == FrameKind.LogEnd)
            {
                yield break;
            }
            yield return Take(frame);
        }
        throw new SupervisorGoneException();

        static LogEntry Take(Frame frame)
        {
            var r = new WireReader(frame.Payload.Span);
            return frame.Kind switch
            {
                FrameKind.LogRecord => new LogEntry(r.I64(), r.U8() == 2, r.Bytes().ToArray()),
                FrameKind.Reply => throw new SupervisorException((ReplyCode)r.U8(), r.Text()),
                _ => throw new WireException($"frame kind {frame.Kind} was not asked for"),
            };
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_session is not null)
        {
            await _session.DisposeAsync();
        }
        _turn.Dispose();
    }

    private async Task AskAsync(FrameKind kind, Action<WireWriter> payload, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var session = await SessionAsync(ct);
            try
            {
                await session.AskAsync(kind, payload, ct);
                return;
            }
            catch (SupervisorGoneException) when (attempt < Attempts)
            {
            }
            catch (SupervisorGoneException e)
            {
                throw new SupervisorUnavailableException($"the supervisor ended {Attempts} times over one request", e);
            }
        }
    }

    private async Task<SupervisorSession> SessionAsync(CancellationToken ct)
    {
        if (_session is { IsClosed: false } open)
        {
            return open;
        }
        await _turn.WaitAsync(ct);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                if (_session is { IsClosed: false } opened)
                {
                    return opened;
                }
                if (_session is not null)
                {
                    await _session.DisposeAsync();
                    _session = null;
                }
                try
                {
                    return _session = await SupervisorSession.OpenAsync(new FrameStream(await launcher.ConnectAsync(ct)), ct);
                }
                catch (SupervisorGoneException) when (attempt < Attempts)
                {
                    // One about to leave took the connection with it.
                }
                catch (Exception e) when (e is SupervisorGoneException or WireException)
                {
                    throw new SupervisorUnavailableException($"the supervisor does not answer as it should: {e.Message}", e);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
