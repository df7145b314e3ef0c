namespace Skep.Raft;

/// <summary>The file is of a format version that this build does not read.</summary>
public sealed class LogVersionException : RaftLogException
{
    internal LogVersionException(string file, uint found, uint known)
        : base($"{file} has log format version {found}, this build reads version {known}: use a build that knows version {found}")
    {
        File = file;
        FoundVersion = found;
    }

    /// <summary>Path of the file.</summary>
    public string File { get; }

    /// <summary>The version the file says it has.</summary>
    public uint FoundVersion { get; }
}
