using Grpc.Core;

namespace Swarmctl.Connection;

/// <summary>Runs a change once more, on fresh data, when somebody else's change came in between.</summary>
internal static class Retry
{
    public static async Task OnStaleVersionAsync(Func<Task> readAndChange)
    {
        try
        {
            await readAndChange().ConfigureAwait(false);
        }
        catch (RpcException e) when (e.Status.Detail.Contains("update out of sequence", StringComparison.Ordinal))
        {
            await readAndChange().ConfigureAwait(false);
        }
    }
}
