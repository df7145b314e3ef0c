using Skep.Raft.Consensus;
using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>Where a member stands when it takes up its part in a group.</summary>
/// <param name="HardState">As last written.</param>
/// <param name="Snapshot">The latest snapshot, which the state machine holds now.</param>
/// <param name="IsAlone">
/// This member is the only voter for sure: the only configuration there is says so, and it is committed. One that was written later may
/// have been this member's view alone.
/// </param>
internal sealed record ReplicaStart(HardState HardState, SnapshotMeta? Snapshot, bool IsAlone)
{
    /// <summary>Begins the log where it is empty and this member is a founder; brings the state machine to the latest snapshot.</summary>
    public static async Task<ReplicaStart> RunAsync(ReplicaGroupOptions options, RaftMember self, RaftLog log, IStateMachine machine, CancellationToken ct)
    {
        var group = options.GroupId;
        var (last, hard) = log.Engine.Read(group, static g => (g.LastIndex, g.HardState));
        // A start that was cut short between the two records is done again.
        if (last == 0 && hard is { Term: <= 1, Vote: 0 } && options.Founders.Count > 0)
        {
            var founding = new RaftConfiguration(options.Founders, [], []);
            await log.AppendAsync([new HardState(1, 0, 0).ToRecord(group), LogRecord.Configuration(group, 1, 1, founding.Encode())], ct).ConfigureAwait(false);
        }

        var (snapshotIndex, configurationAt, state) = log.Engine.Read(group, static g => (g.SnapshotIndex, g.ConfigurationIndex, g.HardState));
        var snapshot = snapshotIndex == 0 ? null : await RestoreAsync(group, snapshotIndex, log, machine, ct).ConfigureAwait(false);
        var configuration = configurationAt is { } at && at > (snapshot?.ConfigurationIndex ?? 0)
            ? at == 1 ? RaftConfiguration.Decode(log.Engine.ReadEntries(group, at, 0)[0].Payload.Span) : null
            : snapshot?.Configuration;
        return new ReplicaStart(state, snapshot, configuration is { Voters: [var only], OutgoingVoters: [] } && only.Id == self.Id);
    }

    private static async Task<SnapshotMeta> RestoreAsync(ulong group, ulong index, RaftLog log, IStateMachine machine, CancellationToken ct)
    {
        var reader = await Task.Run(() => log.OpenSnapshot(group, index), ct).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            var meta = new SnapshotMeta(reader.Index, reader.Term, reader.ConfigurationIndex, RaftConfiguration.Decode(reader.Configuration.Span));
            await machine.RestoreSnapshotAsync(index, reader, ct).ConfigureAwait(false);
            await reader.CopyToAsync(Stream.Null, ct).ConfigureAwait(false);

            // A crash may have come between the file and its note, without which entries behind it would follow those that it
            // has taken the place of.
            await log.AppendAsync([LogRecord.SnapshotMarker(group, meta.Index, meta.Term)], ct).ConfigureAwait(false);
            return meta;
        }
    }
}
