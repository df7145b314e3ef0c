using System.Threading.Channels;
using Grpc.Core;

namespace Skep.Manager.Tests.Support;

/// <summary>The caller's side of a server stream: what was sent, one by one. With a capacity it is a caller that reads slowly.</summary>
internal sealed class Stream<T>(int capacity = 10_000) : IServerStreamWriter<T>, IAsyncStreamReader<T>
    where T : class
{
    private readonly Channel<T> sent = Channel.CreateBounded<T>(capacity);

    public WriteOptions? WriteOptions { get; set; }

    public T Current { get; private set; } = null!;

    public int Waiting => sent.Reader.Count;

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken) => sent.Writer.WriteAsync(message, cancellationToken).AsTask();

    public void End() => sent.Writer.TryComplete();

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await sent.Reader.WaitToReadAsync(cancellationToken))
        {
            return false;
        }
        sent.Reader.TryRead(out T? next);
        Current = next!;
        return true;
    }

    public bool TryNext(out T? message) => sent.Reader.TryRead(out message);

    public Task<T> NextAsync(string phase) => sent.Reader.ReadAsync().AsTask().Within(phase);
}
