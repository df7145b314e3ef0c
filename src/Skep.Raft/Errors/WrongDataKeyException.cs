namespace Skep.Raft;

/// <summary>The log is sound but was encrypted with a data key that was not handed in.</summary>
public sealed class WrongDataKeyException : RaftLogException
{
    internal WrongDataKeyException(string file)
        : base($"{file} was encrypted with another data key than the one given: give the data key this state directory was made with")
    {
        File = file;
    }

    /// <summary>Path of the file whose key is missing.</summary>
    public string File { get; }
}
