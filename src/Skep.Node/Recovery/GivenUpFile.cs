using System.Globalization;
using Skep.Identity.Files;

namespace Skep.Node.Recovery;

/// <summary>
/// The file <c>managers-given-up</c>: members of the group that this manager went on without, hexadecimal, one a line. It is there from
/// before the log says so until the store says so too, whatever stops the machine in between.
/// </summary>
internal static class GivenUpFile
{
    private const int MaxSizeBytes = 64 * 1024;

    /// <summary>The members; none where there is no file.</summary>
    /// <exception cref="NodeStartException">The file is damaged.</exception>
    public static IReadOnlyList<ulong>? Read(StateDirectory state)
    {
        string path = PathIn(state);
        if (!File.Exists(path))
        {
            return null;
        }
        string[] lines = new FileInfo(path).Length > MaxSizeBytes ? ["too long"] : File.ReadAllLines(path);
        var members = new List<ulong>();
        foreach (string line in lines.Where(static l => l.Length > 0))
        {
            members.Add(ulong.TryParse(line, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong id)
                ? id
                : throw new NodeStartException($"{path} is damaged: expected members' ids in hexadecimal, one a line; start swarmd with --force-new-cluster again, or remove the file and the nodes of the lost managers (swarmctl node rm --force)"));
        }
        return members;
    }

    /// <summary>Notes members; those of an earlier, unfinished recovery stay.</summary>
    public static void Add(StateDirectory state, IEnumerable<ulong> members) =>
        WholeFile.Write(
            PathIn(state),
            System.Text.Encoding.ASCII.GetBytes(string.Concat((Read(state) ?? []).Concat(members).Distinct().Select(static m => m.ToString("x16", CultureInfo.InvariantCulture) + "\n"))));

    public static void Remove(StateDirectory state)
    {
        File.Delete(PathIn(state));
        WholeFile.SyncFolder(state.Root);
    }

    private static string PathIn(StateDirectory state) => Path.Combine(state.Root, "managers-given-up");
}
