using System.Globalization;
using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using Skep.Api;
using Swarmctl.Connection;
using Swarmctl.Flags;
using F = Swarmctl.Services.ServiceFlags;

namespace Swarmctl.Services;

/// <summary><c>--bind</c>, <c>--volume</c>, <c>--tmpfs</c> and <c>--npipe</c>. As in SwarmKit they add mounts; one at the same target is replaced.</summary>
internal static class MountFlags
{
    public static void Merge(Session s, RepeatedField<Mount> mounts)
    {
        Add(mounts, s.Values(F.Bind).Select(t => Parse(t, Mount.Types.Type.Bind, "--bind")));
        Add(mounts, s.Values(F.Volume).Select(t => Parse(t, Mount.Types.Type.Volume, "--volume")));
        Add(mounts, s.Values(F.Npipe).Select(t => Parse(t, Mount.Types.Type.Npipe, "--npipe")));

        // Its options are parted by commas themselves, so each flag is one mount.
        Add(mounts, (s.Flags.GetValue(F.Tmpfs) ?? []).Select(Tmpfs));
    }

    private static void Add(RepeatedField<Mount> mounts, IEnumerable<Mount> added)
    {
        foreach (Mount mount in added.ToList())
        {
            foreach (Mount old in mounts.Where(m => m.Target == mount.Target).ToList())
            {
                mounts.Remove(old);
            }
            mounts.Add(mount);
        }
    }

    private static Mount Parse(string text, Mount.Types.Type type, string flag)
    {
        string[] parts = text.Split(':');
        bool valid = parts.Length is 2 or 3 && parts[0].Length > 0 && parts[1].Length > 0 && (parts.Length == 2 || parts[2] is "ro" or "rw");
        return valid
            ? new Mount { Type = type, Source = parts[0], Target = parts[1], Readonly = parts.Length == 3 && parts[2] == "ro" }
            : throw new UserException($"invalid argument \"{text}\" for {flag}: expected source:target[:ro|rw]");
    }

    private static Mount Tmpfs(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length > 2 || !parts[0].StartsWith('/'))
        {
            throw Bad(text, "expected /target[:options]");
        }
        var mount = new Mount { Type = Mount.Types.Type.Tmpfs, Target = parts[0] };
        if (parts.Length == 1)
        {
            return mount;
        }
        mount.TmpfsOptions = new();
        foreach (string option in parts[1].Split(','))
        {
            string[] pair = option.Split('=', 2);
            switch (pair[0])
            {
                case "size" when pair.Length == 2 && ByteSizes.TryParse(pair[1], out long bytes):
                    mount.TmpfsOptions.SizeBytes = bytes;
                    break;
                case "mode" when pair.Length == 2 && TryOctal(pair[1], out uint mode):
                    mount.TmpfsOptions.Mode = mode;
                    break;
                case "ro" or "rw":
                    mount.Readonly = pair[0] == "ro";
                    break;
                case "exec" or "noexec":
                    mount.TmpfsOptions.Options = pair[0];
                    break;
                default:
                    throw Bad(text, $"\"{option}\" is none of size=…, mode=…, ro, rw, exec, noexec");
            }
        }
        return mount;
    }

    private static bool TryOctal(string text, out uint mode)
    {
        mode = 0;
        foreach (char c in text)
        {
            if (c is < '0' or > '7' || mode > 0x1ff)
            {
                return false;
            }
            mode = (mode << 3) | (uint)(c - '0');
        }
        return text.Length > 0;
    }

    private static UserException Bad(string text, string why) =>
        new(string.Create(CultureInfo.InvariantCulture, $"invalid argument \"{text}\" for --tmpfs: {why}"));
}
