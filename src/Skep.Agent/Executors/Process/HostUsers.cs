using System.Globalization;
using Skep.Supervisor.Protocol;

namespace Skep.Agent.Executors.Process;

/// <summary>Who a task runs as.</summary>
internal sealed record TaskUser(uint Uid, uint Gid, IReadOnlyList<uint> Groups, string Home)
{
    /// <summary>A user of the task's own.</summary>
    public static TaskUser Own { get; } = new(StartRequest.TaskOwnId, StartRequest.TaskOwnId, [], "/");

    /// <summary>Whether root's user or group is among what it is.</summary>
    public bool IsRoot => Uid == 0 || Gid == 0 || Groups.Contains(0u);
}

/// <summary>
/// The users and groups of the host, from the texts of /etc/passwd and /etc/group. Directories such as LDAP are not
/// asked: their users are named by number.
/// </summary>
internal sealed class HostUsers(string passwd, string group)
{
    public static HostUsers OfMachine => new(Text("/etc/passwd"), Text("/etc/group"));

    /// <summary>Resolves "name", "uid", "name:group" or "uid:gid"; empty is a user of the task's own.</summary>
    /// <param name="user">As the spec says.</param>
    /// <param name="groups">Supplementary groups, by name or number.</param>
    /// <exception cref="TaskRejectedException">There is none of that name here.</exception>
    public TaskUser Resolve(string user, IEnumerable<string> groups)
    {
        var more = groups.Select(name => Group(name, "groups"));
        if (user.Length == 0)
        {
            return TaskUser.Own with { Groups = [.. more.Distinct()] };
        }
        var parts = user.Split(':', 2);
        var entry = Lines(passwd, 6).FirstOrDefault(f => f[0] == parts[0])
            ?? Lines(passwd, 6).FirstOrDefault(f => Id(parts[0]) is { } id && Id(f[2]) == id);
        var uid = Id(entry?[2] ?? parts[0])
            ?? throw new TaskRejectedException($"user: '{parts[0]}' is not in this node's /etc/passwd; name one that is, or a number below 4294967295");
        if (parts.Length == 2)
        {
            return new TaskUser(uid, Group(parts[1], "user"), [.. more.Distinct()], entry?[5] ?? "/");
        }
        // As a login would: the groups that list the user come along.
        var listed = entry is null ? [] : Lines(group, 4)
            .Where(f => f[3].Split(',').Contains(entry[0])).Select(f => Id(f[2])).OfType<uint>();
        return new TaskUser(uid, Id(entry?[3] ?? "") ?? uid, [.. listed.Concat(more).Distinct()], entry?[5] ?? "/");
    }

    /// <summary>A number an id can have: the highest one means "none" to the kernel and is refused.</summary>
    public static uint? Id(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id != uint.MaxValue ? id : null;

    private uint Group(string name, string field) =>
        Lines(group, 3).Where(f => f[0] == name).Select(f => Id(f[2])).FirstOrDefault()
        ?? Id(name)
        ?? throw new TaskRejectedException($"{field}: group '{name}' is not in this node's /etc/group; name one that is, or a number below 4294967295");

    private static IEnumerable<string[]> Lines(string text, int fields) =>
        text.Split('\n').Select(line => line.Split(':')).Where(f => f.Length >= fields);

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
