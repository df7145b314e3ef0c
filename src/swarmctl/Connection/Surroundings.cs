using System.CommandLine;

namespace Swarmctl.Connection;

/// <summary>Everything of the outside that a command touches besides its connection, so that tests can stand in for it.</summary>
internal sealed class Surroundings : InvocationConfiguration
{
    private readonly Lazy<Stream> input = new(Console.OpenStandardInput);
    private byte[]? read;
    private int warned;
    private string? passphrase;

    public Surroundings()
    {
        EnableDefaultExceptionHandler = false;

        // An interrupt just ends the process; listening to it costs a thread.
        ProcessTerminationTimeout = null;
    }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What standard input is, where it is not the process's own.</summary>
    public Stream? Input { get; init; }

    /// <summary>Whether a person watches, so that progress may draw over itself.</summary>
    public Func<bool> IsTerminal { get; init; } = static () => !Console.IsOutputRedirected;

    /// <summary>Whether a person reads standard error.</summary>
    public Func<bool> ErrorIsTerminal { get; init; } = static () => !Console.IsErrorRedirected;

    /// <summary>Where keys, which may be any bytes, are written.</summary>
    public Func<Stream> KeyOutput { get; init; } = Console.OpenStandardOutput;

    /// <summary>Asks a person for a secret without showing it; null where nobody can be asked.</summary>
    public Func<string, string?> AskSecret { get; init; } = static prompt => TerminalSecret.Ask(prompt);

    /// <summary>A new passphrase, asked for twice; the same again when a command is run again.</summary>
    /// <exception cref="UserException">Nobody can be asked, or the two differ.</exception>
    public string AskPassphraseTwice()
    {
        if (passphrase is null)
        {
            string first = AskSecret("Passphrase: ") ?? throw new UserException("there is no terminal to ask for a passphrase on; give --passphrase-file or --with-unlock-key");
            passphrase = AskSecret("Once more: ") == first ? first : throw new UserException("the two passphrases differ; try again");
        }
        return passphrase;
    }

    /// <summary>Warns of an answer that may be out of date: once a command, however many of its answers are.</summary>
    public void WarnOfStale(string text)
    {
        if (Interlocked.Exchange(ref warned, 1) == 0)
        {
            Error.WriteLine("Warning: " + text);
        }
    }

    /// <summary>Standard input's bytes; they can be asked for again, since a command is run again when a server wants TLS.</summary>
    public async Task<byte[]> ReadInputAsync(Func<Stream, Task<byte[]>> readAll) => read ??= await readAll(Input ?? input.Value).ConfigureAwait(false);
}
