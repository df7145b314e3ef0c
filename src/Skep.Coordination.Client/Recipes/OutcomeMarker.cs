using System.Diagnostics.CodeAnalysis;
using System.Text;
using Skep.Jute;

namespace Skep.Coordination.Client.Recipes;

/// <summary>
/// Does transactions exactly once over lost connections: each one also writes a number of its own into an ephemeral node of this session.
/// Where the answer is lost, that node says whether the transaction was done.
/// </summary>
/// <param name="client">The session.</param>
/// <param name="folder">Where the node is made.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore nobody takes a handle of holds nothing.")]
internal sealed class OutcomeMarker(CoordinationClient client, string folder)
{
    private readonly SemaphoreSlim _one = new(1);
    private string? _path;

    /// <exception cref="MultiException">The transaction was not done.</exception>
    public async Task DoAsync(Func<Transaction> make, CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            _path ??= (await OwnNode.CreateAsync(client, folder, "session-", default, ct)).Path;
            byte[] mark = Encoding.ASCII.GetBytes($"{Guid.NewGuid():N}");
            while (true)
            {
                try
                {
                    // Not to be given up halfway: whoever cancels would not learn whether it was done.
                    await client.MultiAsync(make().SetData(_path, mark), CancellationToken.None);
                    return;
                }
                catch (ConnectionLossException)
                {
                    await client.SyncAsync(_path, CancellationToken.None);
                    if ((await client.GetDataAsync(_path, CancellationToken.None)).Data.Span.SequenceEqual(mark))
                    {
                        return;
                    }
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }
}
