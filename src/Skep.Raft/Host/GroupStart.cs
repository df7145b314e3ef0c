using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>Where a group stands when it begins to take proposals.</summary>
internal sealed record GroupStart(ulong Term, ulong LastIndex, ulong SnapshotIndex, ulong ConfigurationIndex, RaftConfiguration Configuration)
{
    private const int ReplayBatchSizeBytes = 1024 * 1024;

    /// <summary>
    /// Restores the state machine from snapshot and log, then does what an election does in a group of one: a new
    /// term, a vote for itself, and an entry of that term, all durable before the first proposal.
    /// </summary>
    public static async Task<GroupStart> RunAsync(RaftGroupOptions options, RaftLog log, IStateMachine machine, CancellationToken ct)
    {
        var group = options.GroupId;
        var (snapshot, last, hard, configurationAt) = log.Engine.Read(
            group, static g => (g.SnapshotIndex, g.LastIndex, g.HardState, g.ConfigurationIndex));

        RaftConfiguration? configuration = null;
        ulong configurationIndex = 0;
        if (snapshot > 0)
        {
            var reader = await Task.Run(() => log.OpenSnapshot(group, snapshot), ct).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                configuration = RaftConfiguration.Decode(reader.Configuration.Span);
                configurationIndex = reader.ConfigurationIndex;
                await machine.RestoreSnapshotAsync(snapshot, reader, ct).ConfigureAwait(false);
                await reader.CopyToAsync(Stream.Null, ct).ConfigureAwait(false);
            }
        }

        if (configurationAt is { } at && at > configurationIndex)
        {
            configuration = RaftConfiguration.Decode(log.Engine.ReadEntries(group, at, 0)[0].Payload.Span);
            configurationIndex = at;
        }

        if (configuration is not null)
        {
            CheckMember(options, configuration);
        }

        await Task.Run(() => Replay(group, log, machine, snapshot, last, ct), ct).ConfigureAwait(false);

        var term = hard.Term + 1;
        var first = LogRecord.NoOp(group, last + 1, term);
        if (configuration?.Voters[0] != options.Member)
        {
            configuration = RaftConfiguration.Single(options.Member);
            configurationIndex = last + 1;
            first = LogRecord.Configuration(group, last + 1, term, configuration.Encode());
        }

        await log.AppendAsync([new HardState(term, options.Member.Id, last).ToRecord(group), first], ct).ConfigureAwait(false);
        return new GroupStart(term, last + 1, snapshot, configurationIndex, configuration);
    }

    private static void Replay(ulong group, RaftLog log, IStateMachine machine, ulong snapshot, ulong last, CancellationToken ct)
    {
        for (var next = snapshot + 1; next <= last;)
        {
            ct.ThrowIfCancellationRequested();
            foreach (var entry in log.Engine.ReadEntries(group, next, ReplayBatchSizeBytes))
            {
                if (entry.Type == RecordType.Command)
                {
                    machine.Apply(entry.Index, entry.Payload);
                }

                next = entry.Index + 1;
            }
        }
    }

    private static void CheckMember(RaftGroupOptions options, RaftConfiguration configuration)
    {
        if (configuration is not { Voters: [var only], OutgoingVoters: [] })
        {
            throw new InvalidOperationException(
                $"{options.Folder} belongs to a group of {configuration.Voters.Count} voters, which this build cannot serve alone: start it with its peers");
        }

        if (only.Id != options.Member.Id)
        {
            throw new InvalidOperationException(
                $"{options.Folder} belongs to raft member {only.Id:x}, not to {options.Member.Id:x}: use the state directory this member was begun with");
        }
    }
}
