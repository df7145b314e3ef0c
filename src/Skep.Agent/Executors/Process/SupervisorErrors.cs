using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>Says the supervisor's errors in the task manager's terms.</summary>
internal static class SupervisorErrors
{
    public static async Task TranslateAsync(Func<Task> request) => await TranslateAsync(async () =>
    {
        await request();
        return true;
    });

    /// <exception cref="TaskRejectedException">The supervisor refused.</exception>
    /// <exception cref="TaskTemporaryException">It cannot be had at present.</exception>
    public static async Task<T> TranslateAsync<T>(Func<Task<T>> request)
    {
        try
        {
            return await request();
        }
        catch (SupervisorException e)
        {
            throw new TaskRejectedException(e.Message, e);
        }
        catch (Exception e) when (e is SupervisorUnavailableException or SupervisorGoneException or WireException)
        {
            throw new TaskTemporaryException($"supervisor: {e.Message}", e);
        }
    }
}
