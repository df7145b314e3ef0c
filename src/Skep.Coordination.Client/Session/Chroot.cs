namespace Skep.Coordination.Client.Session;

/// <summary>Puts the client's root before paths, and takes it off answers.</summary>
internal readonly record struct Chroot(string Prefix)
{
    public string Full(string path)
    {
        if (!path.StartsWith('/'))
        {
            throw new ArgumentException($"the path '{path}' does not begin with a slash", nameof(path));
        }
        return Prefix.Length == 0 ? path : path.Length == 1 ? Prefix : Prefix + path;
    }

    /// <summary>Paths outside the root come back as they are.</summary>
    public string Short(string path) =>
        Prefix.Length == 0 || !path.StartsWith(Prefix, StringComparison.Ordinal) ? path
        : path.Length == Prefix.Length ? "/"
        : path[Prefix.Length] == '/' ? path[Prefix.Length..] : path;
}
