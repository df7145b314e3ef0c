using System.Globalization;
using System.Text.Json;
using Skep.Jute;
using Swarmctl.Output;

namespace Swarmctl.Coordination;

/// <summary>What is known of a znode, for people and for programs.</summary>
internal static class StatText
{
    public static TabText Lines(string path, Stat stat, IReadOnlyList<Acl>? acl) => TabText.ForObject()
        .Line($"Path\t: {path}")
        .LineIf("Ephemeral of", Session(stat))
        .Line($"Version\t: {stat.Version}")
        .Line($"Data\t: {stat.DataLength} bytes")
        .Line($"Created\t: {Time(stat.Ctime)} (zxid 0x{stat.Czxid:x})")
        .Line($"Changed\t: {Time(stat.Mtime)} (zxid 0x{stat.Mzxid:x})")
        .Line($"Children\t: {stat.NumChildren} (version {stat.Cversion}, zxid 0x{stat.Pzxid:x})")
        .Line($"ACL version\t: {stat.Aversion}")
        .LineIf("ACL", acl is null ? null : AclText.Of(acl));

    /// <summary>The session that an ephemeral node goes with; empty for others. Containers and times to live are not told by the protocol.</summary>
    public static string Session(Stat stat) => stat.EphemeralOwner == 0 ? "" : $"0x{stat.EphemeralOwner:x}";

    public static string Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, 0, 253_402_300_799_999)).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    public static void Write(Utf8JsonWriter writer, Stat stat)
    {
        writer.WriteStartObject("stat");
        writer.WriteNumber("czxid", stat.Czxid);
        writer.WriteNumber("mzxid", stat.Mzxid);
        writer.WriteNumber("pzxid", stat.Pzxid);
        writer.WriteNumber("ctime_ms", stat.Ctime);
        writer.WriteNumber("mtime_ms", stat.Mtime);
        writer.WriteNumber("version", stat.Version);
        writer.WriteNumber("cversion", stat.Cversion);
        writer.WriteNumber("aversion", stat.Aversion);
        writer.WriteString("ephemeral_owner", $"0x{stat.EphemeralOwner:x}");
        writer.WriteNumber("data_length", stat.DataLength);
        writer.WriteNumber("num_children", stat.NumChildren);
        writer.WriteEndObject();
    }
}
