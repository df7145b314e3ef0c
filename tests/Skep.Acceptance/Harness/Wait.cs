namespace Skep.Acceptance.Harness;

/// <summary>Waits for what a cluster will come to, and names what it waited for when it does not.</summary>
internal static class Wait
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <param name="phase">What is waited for, as it is told when it does not come.</param>
    /// <param name="isSo">Whether it has come; an exception counts as not yet.</param>
    /// <param name="state">What there is instead, for the message.</param>
    public static async Task Until(string phase, Func<Task<bool>> isSo, Func<Task<string>>? state = null)
    {
        Exception? last = null;
        using var timer = new PeriodicTimer(Look);
        long start = TimeProvider.System.GetTimestamp();
        do
        {
            try
            {
                if (await isSo())
                {
                    return;
                }
                last = null;
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException && !e.GetType().Name.Contains("Skip", StringComparison.Ordinal))
            {
                last = e;
            }
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
        while (TimeProvider.System.GetElapsedTime(start) < Timeout);
        string instead = state is null ? "" : "; instead:\n" + await state();
        throw new TimeoutException($"timed out after {Timeout.TotalSeconds:0} s: {phase}{instead}", last);
    }

    public static Task Until(string phase, Func<bool> isSo) => Until(phase, () => Task.FromResult(isSo()));
}
