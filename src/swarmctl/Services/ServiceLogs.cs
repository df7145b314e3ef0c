using System.CommandLine;
using System.Text;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Swarmctl.Connection;
using Swarmctl.Flags;

namespace Swarmctl.Services;

/// <summary><c>swarmctl service logs</c>: each line behind the task and node it comes from.</summary>
internal static class ServiceLogs
{
    private static readonly Argument<string[]> Words = Verb.Words("service ID...");
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Follow log output" };
    private static readonly Option<long> Tail = CommonFlags.Integer("--tail", "Only the newest lines of each task (default all)");

    public static Command Command() => Verb.Make("logs", "Obtain log output from a service", RunAsync, Words, Follow, Tail).Alias("log");

    private static async Task RunAsync(Session s, CancellationToken ct)
    {
        string[] names = s.Flags.GetValue(Words) ?? [];
        if (names.Length == 0)
        {
            throw new UserException("missing service IDs");
        }
        var selector = new LogSelector();
        foreach (string name in names)
        {
            selector.ServiceIds.Add((await s.ServiceAsync(name, ct).ConfigureAwait(false)).Id);
        }
        if (s.Has(Tail) && s.Flags.GetValue(Tail) < 0)
        {
            throw new UserException($"invalid argument \"{s.Flags.GetValue(Tail)}\" for --tail: expected a whole number that is not negative");
        }

        // On the wire 0 means all and -n means the last n-1 lines (LogSubscriptionOptions.tail).
        long tail = s.Has(Tail) ? -s.Flags.GetValue(Tail) - 1 : 0;
        using var call = new Logs.LogsClient(s.Connection.Invoker).SubscribeLogs(
            new() { Selector = selector, Options = new() { Follow = s.Flags.GetValue(Follow), Tail = tail } }, cancellationToken: ct);
        try
        {
            while (await call.ResponseStream.MoveNext(ct).ConfigureAwait(false))
            {
                foreach (LogMessage message in call.ResponseStream.Current.Messages)
                {
                    await WriteAsync(s, message, ct).ConfigureAwait(false);
                }
                await s.Output.FlushAsync(ct).ConfigureAwait(false);
            }
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
    }

    private static async Task WriteAsync(Session s, LogMessage message, CancellationToken ct)
    {
        string task = await s.Names.TaskAsync(message.Context?.TaskId ?? "", ct).ConfigureAwait(false);
        string node = await s.Names.NodeAsync(message.Context?.NodeId ?? "", ct).ConfigureAwait(false);
        TextWriter to = message.Stream == LogStream.Stderr ? s.Errors : s.Output;
        string text = Encoding.UTF8.GetString(message.Data.Span);
        await to.WriteAsync($"{task}@{node}❯ {text}{(text.EndsWith('\n') ? "" : "\n")}").ConfigureAwait(false);
    }
}
