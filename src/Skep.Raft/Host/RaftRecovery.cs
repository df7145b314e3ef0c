using Skep.Raft.Log;

namespace Skep.Raft;

/// <summary>Which log of a stopped member is meant.</summary>
public sealed record RaftRecoveryOptions
{
    /// <summary>Folder of the log.</summary>
    public required string Folder { get; init; }

    /// <summary>32 random bytes under which new files are encrypted.</summary>
    public required ReadOnlyMemory<byte> DataKey { get; init; }

    /// <summary>Data keys of earlier times, by which files written before a rotation are still read.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OlderDataKeys { get; init; } = [];

    /// <summary>Which group of the log.</summary>
    public required ulong GroupId { get; init; }

    /// <summary>
    /// Further groups of the log that the member is to be the only voter of. They follow the first one: also where the member has no
    /// part in them, or has heard nothing from them.
    /// </summary>
    public IReadOnlyList<ulong> FollowingGroupIds { get; init; } = [];

    /// <summary>The member that is left, and where others will reach it.</summary>
    public required RaftMember Member { get; init; }
}

/// <summary>Where a group stands of which one member is left.</summary>
/// <param name="GivenUp">The other members, who have no part in the group any more; empty where there were none.</param>
/// <param name="LastIndex">The last entry that was on this member's disk.</param>
/// <param name="CommitIndex">
/// The last one known here to be committed. Those after it are kept: the others may have acknowledged them. What only they had committed
/// is lost.
/// </param>
public sealed record RaftRecovered(IReadOnlyList<RaftMember> GivenUp, ulong LastIndex, ulong CommitIndex)
{
    /// <summary>Entries that are kept although it is not known whether they were committed.</summary>
    public ulong UncertainEntries => LastIndex > CommitIndex ? LastIndex - CommitIndex : 0;

    /// <summary>The groups to whose logs something was to be added; empty where the member was the only one of all of them.</summary>
    public IReadOnlyList<ulong> ChangedGroupIds { get; init; } = [];
}

/// <summary>What is done to the log of a stopped member when its group is lost, or is to begin from a copy.</summary>
public static class RaftRecovery
{
    private const int MaxQueuedWrites = 16;

    /// <summary>Whether the folder holds a log or what one began with.</summary>
    public static bool HasLog(string folder) =>
        Directory.Exists(folder) && Directory.EnumerateFiles(folder).Select(Path.GetFileName).Any(
            static name => FileNames.TryParseSegment(name!, out _) || FileNames.TryParseSnapshot(name!, out _, out _));

    /// <summary>
    /// Makes the member the only voter of its group, and of those that follow; it goes on with all entries that it has. Can be cut short at
    /// any point and done again: the log is either that of a member of the old group, or that of the only one.
    /// </summary>
    /// <param name="options">The member that is left.</param>
    /// <param name="before">Runs with what is given up before anything is written; not where the member is the only one of the first group already.</param>
    /// <param name="ct">Stops before the write.</param>
    /// <exception cref="InvalidOperationException">There is no log, or the member has no part in the group.</exception>
    /// <exception cref="RaftLogException">The log cannot be opened or written.</exception>
    public static async Task<RaftRecovered> ForceSingleAsync(RaftRecoveryOptions options, Action<RaftRecovered>? before = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!HasLog(options.Folder))
        {
            throw new InvalidOperationException($"there is no log in {options.Folder}");
        }

        using var log = await OpenAsync(options, ct).ConfigureAwait(false);
        var (found, records) = Force(log, options.GroupId, options, follows: false);
        List<LogRecord> all = [.. records];
        List<ulong> changed = records.Count > 0 ? [options.GroupId] : [];
        foreach (var following in options.FollowingGroupIds)
        {
            var more = Force(log, following, options, follows: true).Records;
            all.AddRange(more);
            changed.AddRange(more.Count > 0 ? [following] : []);
        }

        found = found with { ChangedGroupIds = changed };
        if (records.Count > 0)
        {
            before?.Invoke(found);
        }

        ct.ThrowIfCancellationRequested();
        if (all.Count > 0)
        {
            await AppendAsync(log, [.. all]).ConfigureAwait(false);
        }

        return found;
    }

    private static (RaftRecovered Found, IReadOnlyList<LogRecord> Records) Force(RaftLog log, ulong group, RaftRecoveryOptions options, bool follows)
    {
        var self = options.Member.Id;
        var (last, lastTerm, hard) = log.Engine.Read(group, static g => (g.LastIndex, g.LastTerm, g.HardState));
        var (configurationAt, configuration) = ReadConfiguration(log, group);
        var others = configuration.Voters.Concat(configuration.OutgoingVoters).Concat(configuration.Learners).Where(m => m.Id != self).DistinctBy(static m => m.Id).ToList();
        if (!follows && !configuration.Voters.Concat(configuration.OutgoingVoters).Concat(configuration.Learners).Any(m => m.Id == self))
        {
            throw new InvalidOperationException(
                last == 0 ? $"the log in {options.Folder} is empty: this member had not heard from its group yet"
                : $"member {self:x} has no part in the group of {options.Folder}, whose members are {string.Join(", ", others.Select(static m => $"{m.Id:x} ({m.Address})"))}");
        }

        var found = new RaftRecovered(others, last, Math.Min(hard.Commit, last));
        if (configuration is { Voters: [var only], OutgoingVoters: [], Learners: [] } && only.Id == self)
        {
            // It may have been cut short between its records.
            return (found, hard.Term >= lastTerm && hard.Commit >= configurationAt ? [] : [new HardState(Math.Max(hard.Term, lastTerm), self, last).ToRecord(group)]);
        }

        // Each beginning of these three is a log that can be gone on with. The only voter's disk is a majority, so its entry is committed:
        // from here on it listens to no former leader.
        var term = Math.Max(hard.Term, lastTerm) + 1;
        return (found,
        [
            new HardState(term, self, hard.Commit).ToRecord(group),
            LogRecord.Configuration(group, last + 1, term, RaftConfiguration.Single(options.Member).Encode()),
            new HardState(term, self, last + 1).ToRecord(group),
        ]);
    }

    /// <summary>Begins a log with a snapshot, of a group whose only voter is this member.</summary>
    /// <param name="options">The member; its folder must hold no log.</param>
    /// <param name="index">The last entry in the snapshot, at least 1.</param>
    /// <param name="term">Its term, at least 1.</param>
    /// <param name="write">Writes the state machine's bytes.</param>
    /// <param name="ct">Stops; the folder is then to be thrown away.</param>
    /// <exception cref="InvalidOperationException">The folder holds a log.</exception>
    /// <exception cref="RaftLogException">The log cannot be written.</exception>
    public static async Task SeedAsync(RaftRecoveryOptions options, ulong index, ulong term, Func<Stream, CancellationToken, Task> write, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(write);
        ArgumentOutOfRangeException.ThrowIfZero(index);
        ArgumentOutOfRangeException.ThrowIfZero(term);
        if (HasLog(options.Folder))
        {
            throw new InvalidOperationException($"there is a log in {options.Folder} already");
        }

        using var log = await OpenAsync(options, ct).ConfigureAwait(false);
        var file = log.CreateSnapshot(options.GroupId, index, term, index, RaftConfiguration.Single(options.Member).Encode());
        await using (file.ConfigureAwait(false))
        {
            await write(file, ct).ConfigureAwait(false);
            file.Commit();
        }

        await AppendAsync(log, LogRecord.SnapshotMarker(options.GroupId, index, term)).ConfigureAwait(false);
        await AppendAsync(log, new HardState(term, options.Member.Id, index).ToRecord(options.GroupId)).ConfigureAwait(false);
    }

    private static Task<RaftLog> OpenAsync(RaftRecoveryOptions options, CancellationToken ct)
    {
        var engine = new LogEngineOptions(new DataKeys(options.DataKey, options.OlderDataKeys));
        return Task.Run(() => RaftLog.Open(options.Folder, engine, MaxQueuedWrites, static _ => { }), ct);
    }

    private static Task AppendAsync(RaftLog log, params LogRecord[] records) => log.AppendAsync(records, CancellationToken.None);

    private static (ulong Index, RaftConfiguration Configuration) ReadConfiguration(RaftLog log, ulong group)
    {
        var (snapshot, configurationAt) = log.Engine.Read(group, static g => (g.SnapshotIndex, g.ConfigurationIndex));
        ulong index = 0;
        var configuration = new RaftConfiguration([], [], []);
        if (snapshot > 0)
        {
            using var reader = log.OpenSnapshot(group, snapshot);
            (index, configuration) = (reader.ConfigurationIndex, RaftConfiguration.Decode(reader.Configuration.Span));
        }

        return configurationAt is { } at && at > index
            ? (at, RaftConfiguration.Decode(log.Engine.ReadEntries(group, at, 0)[0].Payload.Span))
            : (index, configuration);
    }
}
