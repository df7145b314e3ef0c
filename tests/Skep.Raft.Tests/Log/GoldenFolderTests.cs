using System.Text;
using Skep.Raft.Log;
using Skep.Raft.Tests.Host;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Log;

/// <summary>
/// A folder written when the format was made lies under Golden/; every later build has to read it. To write one for a
/// new version run this class with SKEP_WRITE_GOLDEN naming the folder to make.
/// </summary>
public sealed class GoldenFolderTests
{
    [Fact]
    public void The_folder_of_format_version_1_reads_as_it_was_written()
    {
        using var folder = new TemporaryFolder();
        var golden = Environment.GetEnvironmentVariable("SKEP_WRITE_GOLDEN");
        if (golden is not null)
        {
            Write(golden);
        }

        Directory.CreateDirectory(folder.Log);
        foreach (var file in Directory.GetFiles(golden ?? Path.Combine(AppContext.BaseDirectory, "Golden", "v1")))
        {
            File.Copy(file, Path.Combine(folder.Log, Path.GetFileName(file)));
        }

        var disk = new PosixDisk(folder.Log);
        using var log = LogEngine.Open(disk, TestKeys.Options(8192, keepEntries: 5));
        Assert.Equal(new HardState(3, 7, 40), log.Read(1, static g => g.HardState));
        Assert.Equal((60UL, 3UL), log.Read(1, static g => (g.SnapshotIndex, g.SnapshotTerm)));
        Assert.Equal(["after the truncation", "last"], Journal.Texts(log).TakeLast(2));
        Assert.Equal(Enumerable.Range(1, 5).Select(i => $"second group {i}"), Journal.Texts(log, 2));
        Assert.Equal(new HardState(9, 8, 0), log.Read(2, static g => g.HardState));

        using var snapshot = SnapshotReader.Open(disk, TestKeys.Options().Keys, 1, 60);
        using var text = new StreamReader(snapshot, Encoding.ASCII);
        Assert.Equal("the state after entry 60", text.ReadToEnd());
        Assert.Equal(1UL, snapshot.ConfigurationIndex);
        var configuration = RaftConfiguration.Decode(snapshot.Configuration.Span);
        Assert.Equal([new RaftMember(7, "10.0.0.7:4242"), new RaftMember(8, "10.0.0.8:4242")], configuration.Voters);
        Assert.Equal([new RaftMember(7, "10.0.0.7:4242")], configuration.OutgoingVoters);
        Assert.Equal([new RaftMember(9, "")], configuration.Learners);
    }

    private static void Write(string folder)
    {
        var disk = new PosixDisk(folder);
        var configuration = new RaftConfiguration(
            [new(7, "10.0.0.7:4242"), new(8, "10.0.0.8:4242")], [new(7, "10.0.0.7:4242")], [new(9, "")]).Encode();
        using (var log = LogEngine.Open(disk, TestKeys.Options(8192, keepEntries: 5)))
        {
            log.Append([LogRecord.Configuration(1, 1, 3, configuration), new HardState(3, 7, 40).ToRecord(1)]);
            for (ulong i = 2; i <= 62; i++)
            {
                log.Append([Journal.Entry(i, term: 3)]);
            }

            log.Append([new HardState(9, 8, 0).ToRecord(2), .. Enumerable.Range(1, 5).Select(i => Journal.Entry((ulong)i, $"second group {i}", 2))]);
            using (var snapshot = SnapshotWriter.Create(disk, TestKeys.Options(), 1, 60, 3, 1, configuration))
            {
                snapshot.Write("the state after entry 60"u8);
                snapshot.Commit();
            }

            log.NoteSnapshot(1, 60, 3);
            log.Truncate(1, 62);
            log.Append([Journal.Entry(62, "after the truncation", term: 3)]);
        }

        // Not closed in order: the last batch is still unproven when this folder is opened.
        var killed = LogEngine.Open(disk, TestKeys.Options(8192, keepEntries: 5));
        killed.Append([Journal.Entry(63, "last", term: 3)]);
    }
}
