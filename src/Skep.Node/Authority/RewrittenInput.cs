using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Skep.Node.Authority;

/// <summary>Puts <see cref="AuthorityRewriter"/> between a connection and the server.</summary>
internal static class RewrittenInput
{
    /// <summary>Runs the rest of a connection with rewritten input.</summary>
    public static async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        IDuplexPipe original = connection.Transport;
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024, useSynchronizationContext: false));
        using var ended = new CancellationTokenSource();
        Task pump = PumpAsync(original.Input, pipe.Writer, ended.Token);
        connection.Transport = new DuplexPipe(pipe.Reader, original.Output);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = original;
            await ended.CancelAsync().ConfigureAwait(false);
            original.Input.CancelPendingRead();
            await pipe.Reader.CompleteAsync().ConfigureAwait(false);
            await pump.ConfigureAwait(false);
        }
    }

    private static async Task PumpAsync(PipeReader from, PipeWriter to, CancellationToken ended)
    {
        var rewriter = new AuthorityRewriter();
        Exception? failure = null;
        try
        {
            while (!ended.IsCancellationRequested)
            {
                ReadResult read = await from.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                if (read.IsCanceled)
                {
                    break;
                }
                long used = rewriter.Rewrite(read.Buffer, to);
                from.AdvanceTo(read.Buffer.GetPosition(used), read.Buffer.End);
                FlushResult flushed = await to.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                if (read.IsCompleted || flushed.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (AuthorityException e)
        {
            // The server sees a connection that broke off, and closes it.
            failure = new ConnectionAbortedException(e.Message);
        }
        catch (Exception e) when (e is IOException or ConnectionResetException or ConnectionAbortedException or OperationCanceledException)
        {
            failure = e;
        }
        await to.CompleteAsync(failure).ConfigureAwait(false);
    }
}
