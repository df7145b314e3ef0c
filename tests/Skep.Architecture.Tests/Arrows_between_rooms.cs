using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Skep.Architecture.Tests;

/// <summary>The table of rooms in docs/architecture.md is a promise; the project files keep it.</summary>
public sealed partial class Arrows_between_rooms
{
    private static readonly string Root = FindRoot();

    [Fact]
    public void Every_project_uses_only_the_rooms_that_the_architecture_allows()
    {
        Dictionary<string, HashSet<string>> allowed = ReadTable();
        var broken = new List<string>();
        foreach (string project in Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            string room = Path.GetFileNameWithoutExtension(project);
            if (!allowed.TryGetValue(room, out HashSet<string>? mayUse))
            {
                broken.Add($"{room} has no row in the table of rooms");
                continue;
            }
            broken.AddRange(References(project).Where(r => !mayUse.Contains(r)).Select(r => $"{room} must not use {r}"));
        }
        Assert.Empty(broken);
    }

    [Fact]
    public void Every_room_in_the_table_stands_in_src()
    {
        Assert.Empty(ReadTable().Keys.Where(room => !File.Exists(Path.Combine(Root, "src", room, room + ".csproj"))));
    }

    [Fact]
    public void Every_room_of_the_library_has_its_tests_beside_it()
    {
        IEnumerable<string> rooms = ReadTable().Keys.Where(r => r.StartsWith("Skep.", StringComparison.Ordinal));
        Assert.Empty(rooms.Where(room => !Directory.Exists(Path.Combine(Root, "tests", room + ".Tests"))));
    }

    [Fact]
    public void Every_package_in_use_is_explained_in_the_list_of_dependencies()
    {
        string list = File.ReadAllText(Path.Combine(Root, "docs", "dependencies.md"));
        IEnumerable<string> packages = XDocument.Load(Path.Combine(Root, "Directory.Packages.props"))
            .Descendants("PackageVersion").Select(p => p.Attribute("Include")!.Value);
        Assert.Empty(packages.Where(p => !list.Contains($"`{p}`", StringComparison.Ordinal)));
    }

    // Rows look like: | `Skep.Store` | its one idea | `Skep.Api`, `Skep.Raft` |
    private static Dictionary<string, HashSet<string>> ReadTable()
    {
        var table = new Dictionary<string, HashSet<string>>();
        foreach (string line in File.ReadLines(Path.Combine(Root, "docs", "architecture.md")))
        {
            string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
            if (cells.Length == 5 && Quoted().Match(cells[1]) is { Success: true } room && room.Length == cells[1].Length)
            {
                table[room.Groups[1].Value] = [.. Quoted().Matches(cells[3]).Select(m => m.Groups[1].Value)];
            }
        }
        Assert.NotEmpty(table);
        return table;
    }

    private static IEnumerable<string> References(string project) =>
        XDocument.Load(project).Descendants("ProjectReference")
            .Where(r => r.Attribute("ReferenceOutputAssembly")?.Value != "false")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Skep.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }
        return folder ?? throw new InvalidOperationException("the tests do not run below the folder of Skep.slnx");
    }

    [GeneratedRegex("`([A-Za-z.]+)`")]
    private static partial Regex Quoted();
}
