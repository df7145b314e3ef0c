namespace Skep.Agent.Templates;

/// <summary>Takes a template apart into text and actions, comments left out and trimming done.</summary>
internal static class TemplateParts
{
    public static List<(bool IsAction, string Text)> Split(string text)
    {
        var parts = new List<(bool, string)>();
        var at = 0;
        var trimNext = false;
        while (true)
        {
            var open = text.IndexOf("{{", at, StringComparison.Ordinal);
            var plain = open < 0 ? text[at..] : text[at..open];
            if (trimNext)
            {
                plain = plain.TrimStart();
            }

            if (open < 0)
            {
                Add(parts, false, plain);
                return parts;
            }

            var (start, end, close) = Action(text, open);
            if (start - open == 4)
            {
                plain = plain.TrimEnd();
            }

            Add(parts, false, plain);
            trimNext = close - end > 2;
            var action = text[start..end].Trim();
            if (!(action.StartsWith("/*", StringComparison.Ordinal) && action.EndsWith("*/", StringComparison.Ordinal)))
            {
                parts.Add((true, action.Length > 0 ? action : throw new TemplateException("missing value for command in {{}}")));
            }

            at = close;
        }
    }

    /// <summary>Where the action's inside starts and ends, and where the text goes on.</summary>
    private static (int Start, int End, int Close) Action(string text, int open)
    {
        // "{{- " and " -}}" trim; "{{-3" would be a number.
        var start = open + 2 < text.Length - 1 && text[open + 2] == '-' && char.IsWhiteSpace(text[open + 3]) ? open + 4 : open + 2;
        char? quote = null;
        for (var i = start; i < text.Length; i++)
        {
            var c = text[i];
            if (quote is { } q)
            {
                if (c == '\\' && q != '`')
                {
                    i++;
                }
                else if (c == q)
                {
                    quote = null;
                }
            }
            else if (c is '"' or '`')
            {
                quote = c;
            }
            else if (c == '}' && i + 1 < text.Length && text[i + 1] == '}')
            {
                var trims = i - 2 >= start && text[i - 1] == '-' && char.IsWhiteSpace(text[i - 2]);
                return (start, trims ? i - 2 : i, i + 2);
            }
        }

        throw new TemplateException("{{ without }}");
    }

    private static void Add(List<(bool, string)> parts, bool isAction, string text)
    {
        if (text.Length > 0)
        {
            parts.Add((isAction, text));
        }
    }
}
