using Docker.Swarmkit.V1;

namespace Swarmctl.Output;

/// <summary>Objects that are little more than a name: secrets and configs.</summary>
internal static class NamedObjectText
{
    public static TabText Summary(string id, Annotations? annotations, Meta? meta)
    {
        TabText text = TabText.ForObject().LineIf("ID", id).LineIf("Name", annotations?.Name);
        LabelLines(text, annotations);
        return text.LineIf("Created", meta?.CreatedAt?.ToString().Trim('"'));
    }

    public static void LabelLines(TabText text, Annotations? annotations)
    {
        if (annotations?.Labels is { Count: > 0 } labels)
        {
            text.Line("Labels\t");
            foreach ((string key, string value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
            {
                text.Line($"  {key}\t: {value}");
            }
        }
    }
}
