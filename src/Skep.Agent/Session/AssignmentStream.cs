using System.Runtime.CompilerServices;
using Docker.Swarmkit.V1;
using Grpc.Core;

namespace Skep.Agent.Session;

/// <summary>
/// What the manager wants this node to have, as it changes: Assignments, and from managers that do not know it (1.12)
/// Tasks. An INCREMENTAL message that does not follow the one before is not handed on; the stream is opened again and
/// starts with a COMPLETE one.
/// </summary>
internal sealed class AssignmentStream(Dispatcher.DispatcherClient client, string sessionId)
{
    private const int MaxGaps = 8;

    public async IAsyncEnumerable<AssignmentsMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var fallBack = false;
        var gaps = 0;
        while (!fallBack)
        {
            using var call = client.Assignments(new AssignmentsRequest { SessionId = sessionId }, cancellationToken: cancellationToken);
            string? reference = null;
            while (true)
            {
                AssignmentsMessage? message = null;
                try
                {
                    if (await call.ResponseStream.MoveNext(cancellationToken))
                    {
                        message = call.ResponseStream.Current;
                    }
                }
                catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
                {
                    fallBack = true;
                    break;
                }

                if (message is null)
                {
                    throw new SessionException("the manager ended the stream of assignments");
                }

                // Only an incremental message leans on what came before; a complete one stands for itself.
                if (message.Type == AssignmentsMessage.Types.Type.Incremental && message.AppliesTo != reference)
                {
                    if (++gaps > MaxGaps)
                    {
                        throw new SessionException(
                            $"assignments apply to {message.AppliesTo} where {reference ?? "a complete set"} was known, {gaps} times in one session");
                    }

                    break;
                }

                reference = message.ResultsIn;
                yield return message;
            }
        }

        await foreach (var message in ReadTasksAsync(cancellationToken))
        {
            yield return message;
        }
    }

    private async IAsyncEnumerable<AssignmentsMessage> ReadTasksAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
#pragma warning disable CS0612 // Superseded, and all that managers of SwarmKit 1.12 have.
        using var call = client.Tasks(new TasksRequest { SessionId = sessionId }, cancellationToken: cancellationToken);
#pragma warning restore CS0612
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            var message = new AssignmentsMessage { Type = AssignmentsMessage.Types.Type.Complete };
            message.Changes.AddRange(call.ResponseStream.Current.Tasks.Select(task => new AssignmentChange
            {
                Action = AssignmentChange.Types.AssignmentAction.Update,
                Assignment = new Assignment { Task = task },
            }));
            yield return message;
        }

        throw new SessionException("the manager ended the stream of tasks");
    }
}
