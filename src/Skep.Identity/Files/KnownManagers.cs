using System.Text.Json;
using System.Text.Json.Serialization;

namespace Skep.Identity.Files;

/// <summary>A manager a node may turn to.</summary>
/// <param name="NodeId">The manager's node id; empty while only its address is known.</param>
/// <param name="Address">host:port of its remote API.</param>
public sealed record KnownManager(
    [property: JsonPropertyName("node_id")] string NodeId,
    [property: JsonPropertyName("addr")] string Address);

/// <summary>The file <c>state.json</c>: <c>[{"node_id","addr"}]</c>, rewritten whole at every change of the list.</summary>
public static class KnownManagers
{
    private const int MaxSizeBytes = 1 << 20;

    /// <summary>The saved list; empty when there is no file.</summary>
    /// <exception cref="InvalidDataException">The file is there but is no such list.</exception>
    public static IReadOnlyList<KnownManager> Load(StateDirectory state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var file = new FileInfo(state.KnownManagers);
        if (!file.Exists)
        {
            return [];
        }

        if (file.Length > MaxSizeBytes)
        {
            throw Damaged(state, $"it has {file.Length} bytes, more than {MaxSizeBytes}", null);
        }

        try
        {
            var managers = JsonSerializer.Deserialize(File.ReadAllBytes(file.FullName), KnownManagersJson.Default.ListKnownManager);
            return managers is null ? [] : [.. managers.Where(m => !string.IsNullOrEmpty(m?.Address))];
        }
        catch (JsonException e)
        {
            throw Damaged(state, e.Message, e);
        }
    }

    /// <summary>Replaces the saved list.</summary>
    public static void Save(StateDirectory state, IEnumerable<KnownManager> managers)
    {
        ArgumentNullException.ThrowIfNull(state);
        var json = JsonSerializer.SerializeToUtf8Bytes([.. managers], KnownManagersJson.Default.ListKnownManager);
        WholeFile.Write(state.KnownManagers, json);
    }

    private static InvalidDataException Damaged(StateDirectory state, string why, Exception? cause) => new(
        $"{state.KnownManagers} is no list of managers ({why}); remove it and name a manager with --join-addr", cause);
}

[JsonSerializable(typeof(List<KnownManager>))]
internal sealed partial class KnownManagersJson : JsonSerializerContext;
