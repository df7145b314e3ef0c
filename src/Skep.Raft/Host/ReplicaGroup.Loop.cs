using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft;

public sealed partial class ReplicaGroup
{
    private const int MaxInputs = 256;
    private const long ApplyBatchSizeBytes = 1024 * 1024;
    private const int FewRecords = 8;
    private const ulong MaxAppliedOnLentThread = 512;

    private readonly List<Proposal> _batch = [];
    private readonly List<ReadOnlyMemory<byte>> _commands = [];
    private readonly ProposalAnswers _answers = new();
    private readonly Queue<(ulong Index, Proposal Proposal)> _waiting = new();
    private readonly System.Collections.Concurrent.ConcurrentDictionary<ulong, Task> _sending = [];
    private ulong _toldStored;
    private ulong _applied;
    private ulong _leadingTerm;
    private RaftConfiguration? _learned;
    private bool _heldBack;
    private ReplicaInput.TransferAsked? _transfer;

    /// <returns>false when there is to be no further turn.</returns>
    private async ValueTask<bool> TurnAsync()
    {
        try
        {
            if (!_stop.IsCancellationRequested)
            {
                Take();
                while (_core.TakeOutput() is { } output)
                {
                    await DoAsync(output).ConfigureAwait(false);
                }

                KeepPace();
                TellStatus();
                _answers.Release();
                return true;
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Closed.
        }
        catch (Exception e)
        {
            Stop(e);
        }

        End();
        _answers.Release();
        return false;
    }

    private void Take()
    {
        while (_told.TryDequeue(out var told))
        {
            Handle(told);
        }

        for (var n = 0; _inbox.Reader.TryRead(out var input); n++)
        {
            Handle(input);
            if (n == MaxInputs)
            {
                _turns.Ask();
                break;
            }
        }

        var stored = Volatile.Read(ref _storedSequence);
        if (stored > _toldStored)
        {
            _toldStored = stored;
            _core.Stored(stored);
        }

        var now = NowMs();
        _core.Tick(now);
        NoticeLead();
        NoticeTransfer();
        Propose();
        _reads.Ask(_core, now, NoLeader);
        _reads.GiveUp(now, NoLeader);
    }

    private void Handle(ReplicaInput input)
    {
        switch (input)
        {
            case ReplicaInput.Received received:
                _core.Step(NowMs(), received.Message);
                break;
            case ReplicaInput.ReadAsked read:
                _reads.Add(read.Done);
                break;
            case ReplicaInput.TransferAsked transfer:
                BeginTransfer(transfer);
                break;
            case ReplicaInput.ChangeAsked change:
                Answer(change.Done, _core.ChangeConfiguration(change.Voters, change.Learners));
                break;
            case ReplicaInput.StandingsAsked asked:
                asked.Done.TrySetResult(_core.Standings());
                break;
            case ReplicaInput.SnapshotAsked asked:
                asked.Done.TrySetResult(TakeSnapshot());
                break;
            case ReplicaInput.CommitHurried hurried:
                _core.HurryCommit(hurried.Member);
                break;
            case ReplicaInput.SnapshotSent sent:
                _core.ReportSnapshot(sent.Member, sent.Arrived);
                break;
            case ReplicaInput.SnapshotTaken taken when _core.DescribeSnapshot(taken.Index) is { } meta:
                _core.SnapshotTaken(meta, _log.Engine.Read(_options.GroupId, static g => g.FirstIndex));
                break;
            default:
                break;
        }
    }

    private void BeginTransfer(ReplicaInput.TransferAsked transfer)
    {
        if (_core.Transfer(transfer.Target) is { } refusal)
        {
            Answer(transfer.Done, refusal);
            return;
        }

        _transfer = transfer;
    }

    private void NoticeTransfer()
    {
        if (_transfer is not { } transfer || _core.IsTransferring || (_core.Role != Role.Leader && _core.Leader == 0))
        {
            return;
        }

        _transfer = null;
        Answer(transfer.Done, _core.Leader == transfer.Target ? null
            : $"member {transfer.Target:x} did not take the lead in time; member {_core.Leader:x} leads, and may hand it over again");
    }

    private async Task DoAsync(CoreOutput output)
    {
        LearnMembers();
        if (output.Write is { Snapshot: null } write)
        {
            _writer.Add(write);
        }

        foreach (var message in output.Messages)
        {
            if (message.Type == MessageType.Snapshot)
            {
                SendSnapshot(message);
            }
            else
            {
                _transport.Send(message.To, _options.GroupId, message);
            }
        }

        // What is applied now may take a while, which nobody is to wait for.
        _transport.Flush(evenWhileGathering: output.ApplyUpTo > _applied + FewRecords);
        if (output.Write is { Snapshot: { } snapshot } install)
        {
            await InstallAsync(snapshot, install).ConfigureAwait(false);
        }

        if (output.ApplyUpTo > _applied + MaxAppliedOnLentThread)
        {
            // The log's thread and those that read from peers are needed elsewhere.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        Apply(output.ApplyUpTo);
        _reads.Decided(output.Reads, NowMs(), NoLeader);
        _reads.Applied(_applied, NowMs());
    }

    private void Apply(ulong upTo)
    {
        while (_applied < upTo)
        {
            var entries = _core.ReadEntries(_applied + 1, upTo, ApplyBatchSizeBytes);
            if (entries.Count == 0)
            {
                throw new InvalidOperationException($"entry {_applied + 1} of raft group {_options.GroupId} is committed and not held");
            }

            for (var i = 0; i < entries.Count; i++)
            {
                var entry = entries[i];
                if (entry.Type == RecordType.Command)
                {
                    _machine.Apply(entry.Index, entry.Payload);
                    _snapshots.Applied(entry.Payload.Length);
                }

                Volatile.Write(ref _applied, entry.Index);
                if (_waiting.TryPeek(out var first) && first.Index == entry.Index)
                {
                    _answers.Add(_waiting.Dequeue().Proposal, entry.Index);
                }
            }
        }

        if (_snapshots.IsDue(_applied) && _core.DescribeSnapshot(_applied) is { } meta)
        {
            _snapshots.Consider(meta.Index, meta.Term, meta.ConfigurationIndex, meta.Configuration.Encode());
        }
    }

    private async Task InstallAsync(SnapshotMeta snapshot, LogWrite write)
    {
        // It takes long, perhaps too long for the thread that has this turn.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

        // Opened before the log names it: a name without a file would keep the whole folder from being opened again.
        var reader = _log.OpenSnapshot(_options.GroupId, snapshot.Index);
        await using (reader.ConfigureAwait(false))
        {
            _writer.Add(write);
            await _machine.RestoreSnapshotAsync(snapshot.Index, reader, _stop.Token).ConfigureAwait(false);
            await reader.CopyToAsync(Stream.Null, _stop.Token).ConfigureAwait(false);
        }

        Volatile.Write(ref _applied, snapshot.Index);
        _snapshots.Installed(snapshot.Index);
    }

    private void SendSnapshot(Message message)
    {
        // One that goes on longer than the core has patience for reports its own end.
        if (!_sending.TryGetValue(message.To, out var sending) || sending.IsCompleted)
        {
            _sending[message.To] = Task.Run(() => SendSnapshotAsync(message));
        }
    }

    private async Task SendSnapshotAsync(Message message)
    {
        var arrived = false;
        try
        {
            var file = _log.OpenSnapshot(_options.GroupId, message.Snapshot!.Index);
            await using (file.ConfigureAwait(false))
            {
                arrived = await _transport.SendSnapshotAsync(message.To, _options.GroupId, message, file, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // A newer snapshot has taken its place, or the group is closed: the core asks again if need be.
        }

        Tell(new ReplicaInput.SnapshotSent(message.To, arrived));
    }

    private void LearnMembers()
    {
        if (!ReferenceEquals(_learned, _core.Configuration))
        {
            _learned = _core.Configuration;
            foreach (var member in _core.Configuration.Voters.Concat(_core.Configuration.OutgoingVoters).Concat(_core.Configuration.Learners))
            {
                _transport.Learn(member);
            }
        }
    }

    private NotLeaderException NoLeader()
    {
        var leader = _core.Leader;
        return new(leader == 0 ? null : _core.Configuration.Voters.Concat(_core.Configuration.OutgoingVoters).FirstOrDefault(m => m.Id == leader) ?? new RaftMember(leader, "an address not known here"));
    }

    private static void Answer(TaskCompletionSource done, string? refusal)
    {
        if (refusal is null)
        {
            done.TrySetResult();
        }
        else
        {
            done.TrySetException(new InvalidOperationException(refusal));
        }
    }

    private void Stop(Exception? error)
    {
        if (error is not null)
        {
            GroupMessages.Stopped(_logger, _options.GroupId, error);
            _completion.TrySetException(error);
        }

        _transport.Unregister(_options.GroupId);
        _proposals.Writer.TryComplete(error);
        _inbox.Writer.TryComplete(error);
        _stop.Cancel();
        _turns.Ask();
    }

    private void End()
    {
        Exception why = _completion.Task.Exception?.InnerException ?? new ObjectDisposedException(nameof(ReplicaGroup), "the raft group is closed");
        Refuse(why);
        while (_proposals.Reader.TryRead(out var proposal))
        {
            _answers.Add(proposal, why);
        }

        FailWaiting("this member stopped");
        _transfer?.Done.TrySetException(why);
        _reads.FailAll(why);
        while (_inbox.Reader.TryRead(out var input))
        {
            (input switch
            {
                ReplicaInput.ReadAsked x => x.Done,
                ReplicaInput.TransferAsked x => x.Done,
                ReplicaInput.ChangeAsked x => x.Done,
                _ => null,
            })?.TrySetException(why);
            (input as ReplicaInput.StandingsAsked)?.Done.TrySetException(why);
            (input as ReplicaInput.SnapshotAsked)?.Done.TrySetException(why);
        }

        // Whoever looks or waits now must not take it for leading, and waits for nothing more.
        Status = Status with { Role = ReplicaRole.Follower, LeaderId = 0, IsReady = false, LagByMember = new Dictionary<ulong, ulong>() };
        Volatile.Write(ref _ended, true);
        _changed.TrySetResult();
    }
}
