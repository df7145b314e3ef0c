using System.Globalization;
using Skep.Identity.Files;
using Skep.Store.Members;

namespace Skep.Node.Managers;

/// <summary>The file <c>raft-member</c>: this manager's id in the group, hexadecimal, written before the log is begun.</summary>
internal static class MemberFile
{
    private const int MaxSizeBytes = 64;

    private static string PathIn(StateDirectory state) => Path.Combine(state.Root, "raft-member");

    /// <summary>The id; null where there is no file.</summary>
    /// <exception cref="NodeStartException">The file is damaged, or another node's.</exception>
    public static ulong? Read(StateDirectory state, string nodeId)
    {
        string path = PathIn(state);
        if (!File.Exists(path))
        {
            return null;
        }
        string text = new FileInfo(path).Length > MaxSizeBytes ? "" : File.ReadAllText(path).Trim();
        if (!ulong.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong id))
        {
            throw new NodeStartException($"{path} is damaged: expected a member's id in hexadecimal; put it back from a backup, or empty the state directory and join again");
        }
        return MemberIds.IsOf(id, nodeId)
            ? id
            : throw new NodeStartException($"{path} belongs to another node than {nodeId}: use the state directory this node was begun with");
    }

    public static void Write(StateDirectory state, ulong id) =>
        WholeFile.Write(PathIn(state), System.Text.Encoding.ASCII.GetBytes(id.ToString("x16", CultureInfo.InvariantCulture) + "\n"));

    /// <summary>Forgets the membership and its log: the node is no manager any more.</summary>
    public static void Remove(StateDirectory state, string logFolder)
    {
        if (Directory.Exists(logFolder))
        {
            Directory.Delete(logFolder, recursive: true);
        }
        File.Delete(PathIn(state));
        WholeFile.SyncFolder(state.Root);
    }
}
