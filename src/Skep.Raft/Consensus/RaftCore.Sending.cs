namespace Skep.Raft.Consensus;

internal sealed partial class RaftCore
{
    /// <summary>The host could not bring a snapshot to a member, or has; what it holds then is found by probing.</summary>
    public void ReportSnapshot(ulong member, bool arrived)
    {
        if (Role != Role.Leader || !_progress.TryGetValue(member, out var progress) || progress.State != ProgressState.Snapshot)
        {
            return;
        }

        if (arrived)
        {
            progress.BecomeProbe();
        }
        else
        {
            progress.SnapshotFailed();
        }

        // A member that takes no snapshot is asked again with the next heartbeat, not at once.
        progress.ProbeSent = true;
    }

    private void SendEntries()
    {
        foreach (var (id, progress) in _progress)
        {
            if (id != Id)
            {
                SendEntries(id, progress);
            }
        }
    }

    private void SendEntries(ulong id, Progress progress)
    {
        switch (progress.State)
        {
            case ProgressState.Snapshot when _nowMs - progress.WaitingSinceMs >= _options.SnapshotTimeoutMs:
                progress.SnapshotFailed();
                break;
            case ProgressState.Probe when !progress.ProbeSent:
                progress.ProbeSent = SendAppend(id, progress);
                break;
            case ProgressState.Replicate:
                while (progress.Next <= _log.LastIndex && !progress.InFlight.IsFull && SendAppend(id, progress))
                {
                }

                if (progress.State == ProgressState.Replicate && progress.CommitSent < Commit && !progress.InFlight.IsFull
                    && (_nowMs - progress.CommitSentMs >= _options.CommitNoticeMs || progress.CommitSent < Math.Min(Commit, _log.ConfigurationIndex)))
                {
                    SendAppend(id, progress);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>Sends the next entries, none if there are none; or a snapshot where entries are gone.</summary>
    /// <returns>Whether entries are what was sent.</returns>
    private bool SendAppend(ulong id, Progress progress)
    {
        var before = _log.TermAt(progress.Next - 1);
        var entries = before is null ? [] : _log.Read(progress.Next, _log.LastIndex, _options.MaxMessageSizeBytes);
        if (before is null || (entries.Count == 0 && progress.Next <= _log.LastIndex))
        {
            SendSnapshot(id, progress);
            return false;
        }

        Send(
            ToFollower(MessageType.Append, id) with { Index = progress.Next - 1, LogTerm = before.Value, Entries = entries, Commit = Commit },
            0);
        progress.CommitSent = Commit;
        progress.CommitSentMs = _nowMs;
        if (progress.State == ProgressState.Replicate && entries.Count > 0)
        {
            if (progress.InFlight.Count == 0)
            {
                progress.WaitingSinceMs = _nowMs;
            }

            progress.Next = entries[^1].Index + 1;
            progress.InFlight.Add(entries[^1].Index, EntryLog.SizeOf(entries));
        }

        return true;
    }

    private void SendSnapshot(ulong id, Progress progress)
    {
        if (_log.Snapshot is { } snapshot && !_log.IsInstalling)
        {
            progress.BecomeSnapshot(snapshot.Index, _nowMs);
            Send(ToFollower(MessageType.Snapshot, id) with { Snapshot = snapshot }, 0);
        }
    }
}
