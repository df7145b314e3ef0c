using Google.Protobuf.WellKnownTypes;
using Skep.Api.Backups;
using Skep.V1;
using Swarmctl.Connection;
using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Commands;

/// <summary><c>cluster backup</c>: a file that is there whole or not at all.</summary>
public sealed class ClusterBackupTests : IAsyncLifetime
{
    private readonly FakeManager _manager = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("swarmctl-backup-").FullName;
    private readonly byte[] _content = Content();

    private string File => Path.Combine(_folder, "cluster.skep");

    private string PassphraseFile => Path.Combine(_folder, "passphrase");

    public async ValueTask InitializeAsync()
    {
        await _manager.StartAsync();
        _manager.Managers.Pieces.AddRange([_content[..100], _content[100..]]);
        await System.IO.File.WriteAllTextAsync(PassphraseFile, "correct horse\n");
    }

    public async ValueTask DisposeAsync()
    {
        await _manager.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_file_is_what_the_manager_sent_for_its_owner_alone()
    {
        CommandResult result = await _manager.RunAsync("cluster", "backup", File, "--passphrase-file", PassphraseFile);

        Assert.Equal($"{File}: cluster qernf2v2gp1dsbpi9qaw1b0sh at index 4711, {_content.Length} bytes, encrypted to the cluster's unlock key\n", result.Succeeds().Output);
        Assert.Equal(_content, await System.IO.File.ReadAllBytesAsync(File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Equal(("correct horse", false), (_manager.Managers.Asked!.Passphrase, _manager.Managers.Asked.UnlockKey));
        Assert.Equal([File, PassphraseFile], Directory.EnumerateFiles(_folder).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_can_be_encrypted_to_the_unlock_key()
    {
        (await _manager.RunAsync("cluster", "backup", File, "--with-unlock-key")).Succeeds();
        Assert.Equal(("", true), (_manager.Managers.Asked!.Passphrase, _manager.Managers.Asked.UnlockKey));
    }

    [Fact]
    public async Task One_that_breaks_off_leaves_nothing_and_what_was_there_stays()
    {
        _manager.Managers.BackupFails = "this manager lost the lead";
        (await _manager.RunAsync("cluster", "backup", File, "--with-unlock-key")).Fails("this manager lost the lead");
        Assert.Equal([PassphraseFile], Directory.EnumerateFiles(_folder));

        await System.IO.File.WriteAllTextAsync(File, "older");
        (await _manager.RunAsync("cluster", "backup", File, "--with-unlock-key", "--force")).Fails("this manager lost the lead");
        Assert.Equal("older", await System.IO.File.ReadAllTextAsync(File));
    }

    [Fact]
    public async Task A_file_that_is_there_is_replaced_only_by_force()
    {
        await System.IO.File.WriteAllTextAsync(File, "older");
        (await _manager.RunAsync("cluster", "backup", File, "--with-unlock-key")).Fails($"{File} exists already; name another file, or replace it with --force");
        Assert.Null(_manager.Managers.Asked);

        (await _manager.RunAsync("cluster", "backup", File, "--with-unlock-key", "--force")).Succeeds();
        Assert.Equal(_content, await System.IO.File.ReadAllBytesAsync(File));
    }

    [Fact]
    public async Task What_it_cannot_be_written_with_is_said_before_anybody_is_asked()
    {
        await System.IO.File.WriteAllTextAsync(PassphraseFile, "short\n");
        (await _manager.RunAsync("cluster", "backup", File, "--passphrase-file", PassphraseFile)).Fails("the passphrase has 5 characters; give one of at least 8");
        (await _manager.RunAsync("cluster", "backup", File, "--passphrase-file", PassphraseFile, "--with-unlock-key")).Fails("a backup is encrypted to a passphrase or to the unlock key: give --passphrase-file or --with-unlock-key");
        (await _manager.RunAsync("cluster", "backup", _folder, "--with-unlock-key")).Fails($"{_folder} is a directory; name a file in it");
        Assert.Null(_manager.Managers.Asked);
        Assert.StartsWith("Error: file missing", (await _manager.RunAsync("cluster", "backup")).Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("correct horse", "correct horse", null)]
    [InlineData("correct horse", "correct house", "the two passphrases differ; try again")]
    [InlineData(null, null, "there is no terminal to ask for a passphrase on; give --passphrase-file or --with-unlock-key")]
    public async Task A_passphrase_is_asked_for_twice_on_a_terminal(string? first, string? second, string? error)
    {
        var typed = new Queue<string?>([first, second]);
        using var errors = new StringWriter();
        using var output = new StringWriter();
        var around = new Surroundings { Output = output, Error = errors, Time = _manager.Clock, IsTerminal = () => false, AskSecret = _ => typed.Dequeue() };

        int exit = await CommandTree.RunAsync(["--socket", _manager.Socket, "cluster", "backup", File], around).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(error is null ? (0, "", first) : (255, $"Error: {error}\n", null), (exit, errors.ToString(), _manager.Managers.Asked?.Passphrase));
    }

    [Fact]
    public async Task What_a_file_says_of_itself_is_shown_without_key_and_manager()
    {
        await System.IO.File.WriteAllBytesAsync(File, _content);
        string shown = (await _manager.RunAsync("cluster", "backup", "--inspect", File)).Succeeds().Output;
        GoldenFile.Matches("cluster-backup-inspect", shown.Replace(File, "cluster.skep", StringComparison.Ordinal));
        Assert.Contains("\"index\": \"4711\"", (await _manager.RunAsync("cluster", "backup", "--inspect", File, "--format", "json")).Succeeds().Output, StringComparison.Ordinal);

        _content[30] ^= 1;
        await System.IO.File.WriteAllBytesAsync(File, _content);
        (await _manager.RunAsync("cluster", "backup", "--inspect", File)).Fails($"{File}: this backup is damaged: its header is not what was written; take another copy of it, or an older backup");
    }

    private static byte[] Content()
    {
        using var file = new MemoryStream();
        var about = new BackupHeader
        {
            ClusterId = "qernf2v2gp1dsbpi9qaw1b0sh",
            Index = 4711,
            Term = 3,
            CreatedAt = Timestamp.FromDateTimeOffset(RedisCluster.Start.AddHours(-3)),
            SkepVersion = "0.1.0",
            NodeId = "v8v9zkajvhc273lqnkomel4qa",
        };
        using BackupEncryptingStream writer = BackupEncryptingStream.Create(file, about, BackupSecret.UnlockKey(new byte[32]));
        writer.Write(new byte[1000]);
        writer.Complete();
        return file.ToArray();
    }
}
