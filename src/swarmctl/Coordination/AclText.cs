using System.Globalization;
using Skep.Jute;

namespace Swarmctl.Coordination;

/// <summary>ACL entries as ZooKeeper's own command line writes them: <c>scheme:identity:cdrwa</c>.</summary>
internal static class AclText
{
    // Create, delete, read, write, administer.
    private static readonly (char Letter, int Bit)[] Letters = [('c', 4), ('d', 8), ('r', 1), ('w', 2), ('a', 16)];

    public static string Of(Acl acl) =>
        string.Create(CultureInfo.InvariantCulture, $"{acl.Id.Scheme}:{acl.Id.Name}:{string.Concat(Letters.Where(l => (acl.Perms & l.Bit) != 0).Select(static l => l.Letter))}");

    public static string Of(IEnumerable<Acl> acl) => string.Join(", ", acl.Select(Of));

    /// <exception cref="UserException">It is no entry.</exception>
    public static Acl Parse(string text)
    {
        int first = text.IndexOf(':', StringComparison.Ordinal), last = text.LastIndexOf(':');
        string letters = text[(last + 1)..];
        if (first <= 0 || last == first || letters.Length == 0 || !letters.All(c => Letters.Any(l => l.Letter == c)))
        {
            throw new UserException($"invalid argument \"{text}\" for --acl: expected scheme:identity:permissions, as in world:anyone:r or digest:user:hash:cdrwa");
        }
        return new Acl(Letters.Where(l => letters.Contains(l.Letter)).Sum(static l => l.Bit), new AclId(text[..first], text[(first + 1)..last]));
    }
}
