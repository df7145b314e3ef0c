using System.Net;
using Skep.Jute;

namespace Skep.Coordination.Access;

/// <summary>Who may do what to a znode: the schemes world, ip, digest, x509, auth and super, checked in ZooKeeper's order.</summary>
internal static class AccessRules
{
    /// <summary>May one who has these identities do this? Any of the permissions asked for is enough.</summary>
    public static bool Allows(IReadOnlyList<Acl> acl, Permissions wanted, IReadOnlyList<AclId> identities)
    {
        if (acl.Count == 0)
        {
            return true;
        }
        for (int i = 0; i < acl.Count; i++)
        {
            Acl entry = acl[i];
            if ((entry.Perms & (int)wanted) != 0 && (entry.Id is { Scheme: "world", Name: "anyone" } || Is(identities, entry.Id)))
            {
                return true;
            }
        }
        return IsSuper(identities);
    }

    private static bool Is(IReadOnlyList<AclId> identities, AclId rule)
    {
        for (int i = 0; i < identities.Count; i++)
        {
            if (identities[i].Scheme == rule.Scheme && Matches(identities[i], rule))
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsSuper(IReadOnlyList<AclId> identities)
    {
        for (int i = 0; i < identities.Count; i++)
        {
            if (identities[i].Scheme == "super")
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The ACL as it is kept: duplicates left out, "auth" replaced by who asks. Null where it is no valid ACL.</summary>
    public static Acl[]? Resolve(IReadOnlyList<Acl> acl, IReadOnlyList<AclId> identities)
    {
        if (acl is [{ Id: { Scheme: "world", Name: "anyone" } } open])
        {
            return [open];
        }
        var kept = new List<Acl>(acl.Count);
        foreach (Acl entry in acl.Distinct())
        {
            if (entry.Id.Scheme == "auth")
            {
                AclId[] proved = [.. identities.Where(i => i.Scheme is "digest" or "x509" or "sasl")];
                if (proved.Length == 0)
                {
                    return null;
                }
                kept.AddRange(proved.Select(i => new Acl(entry.Perms, i)));
            }
            else if (IsValid(entry.Id))
            {
                kept.Add(entry);
            }
            else
            {
                return null;
            }
        }
        return kept.Count == 0 ? null : [.. kept];
    }

    /// <summary>The ACL as one sees it who may read but not administer: without the digests of passwords.</summary>
    public static IReadOnlyList<Acl> Redacted(IReadOnlyList<Acl> acl) =>
        [.. acl.Select(a => a.Id.Scheme == "digest" ? a with { Id = a.Id with { Name = a.Id.Name.Split(':')[0] + ":x" } } : a)];

    private static bool IsValid(AclId id) => id.Scheme switch
    {
        "world" => id.Name == "anyone",
        "digest" => id.Name.Split(':') is [_, { Length: > 0 }],
        "ip" => TryNetwork(id.Name, out _, out _),
        "x509" or "sasl" => id.Name.Length > 0,
        _ => false,
    };

    private static bool Matches(AclId identity, AclId rule)
    {
        if (rule.Scheme != "ip")
        {
            return identity.Name == rule.Name;
        }
        if (!TryNetwork(rule.Name, out byte[] network, out int bits) || !IPAddress.TryParse(identity.Name, out IPAddress? address))
        {
            return false;
        }
        byte[] own = address.GetAddressBytes();
        if (own.Length != network.Length)
        {
            return false;
        }
        for (int i = 0; i < bits; i++)
        {
            if (((own[i / 8] ^ network[i / 8]) & (0x80 >> (i % 8))) != 0)
            {
                return false;
            }
        }
        return true;
    }

    private static bool TryNetwork(string text, out byte[] network, out int bits)
    {
        string[] parts = text.Split('/', 2);
        network = [];
        bits = 0;
        // Java's parser wants all four numbers; .NET's would take "10" as an address.
        if (!IPAddress.TryParse(parts[0], out IPAddress? address) || (!parts[0].Contains(':') && parts[0].Count(c => c == '.') != 3))
        {
            return false;
        }
        network = address.GetAddressBytes();
        bits = network.Length * 8;
        return parts.Length == 1 || (int.TryParse(parts[1], out bits) && bits >= 0 && bits <= network.Length * 8);
    }
}
