using System.Globalization;
using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using Swarmctl.Connection;
using Swarmctl.Flags;
using F = Swarmctl.Services.ServiceFlags;

namespace Swarmctl.Services;

/// <summary><c>--ulimit name=soft[:hard]</c></summary>
internal static class UlimitFlag
{
    private static readonly HashSet<string> Names =
    [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
    ];

    public static void Merge(Session s, RepeatedField<ContainerSpec.Types.Ulimit> ulimits)
    {
        if (s.Has(F.Ulimit))
        {
            ulimits.Clear();
            ulimits.AddRange(s.Values(F.Ulimit).Select(Parse));
        }
    }

    private static ContainerSpec.Types.Ulimit Parse(string text)
    {
        string[] parts = text.Split('=', 2);
        string[] bounds = parts[^1].Split(':');
        if (parts.Length != 2 || bounds.Length > 2 || !Names.Contains(parts[0])
            || !Bound(bounds[0], out long soft) || !Bound(bounds[^1], out long hard) || (hard >= 0 && soft > hard))
        {
            throw new UserException($"invalid argument \"{text}\" for --ulimit: expected name=soft[:hard] with soft not above hard, name one of {string.Join(", ", Names)}");
        }
        return new() { Name = parts[0], Soft = soft, Hard = hard };
    }

    private static bool Bound(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= -1;
}
