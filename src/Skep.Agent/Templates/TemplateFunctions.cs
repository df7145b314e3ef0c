namespace Skep.Agent.Templates;

/// <summary>The functions a template can call.</summary>
internal static class TemplateFunctions
{
    public static object Call(string name, IReadOnlyList<object> arguments, TemplateContext context)
    {
        if (context.Functions.TryGetValue(name, out var own))
        {
            return own([.. arguments.Select(TemplateExpression.ToText)]);
        }

        switch (name)
        {
            case "join" when arguments.Count >= 1:
                return string.Join(TemplateExpression.ToText(arguments[0]), arguments.Skip(1).Select(TemplateExpression.ToText));
            case "index" when arguments.Count >= 1:
                return arguments.Skip(1).Aggregate(arguments[0], Index);
            case "eq" when arguments.Count >= 2:
                return arguments.Skip(1).Any(a => Equals(a, arguments[0]));
            case "ne" when arguments.Count == 2:
                return !Equals(arguments[0], arguments[1]);
            case "not" when arguments.Count == 1:
                return !TemplateExpression.IsTrue(arguments[0]);
            case "and" when arguments.Count >= 1:
                return arguments.FirstOrDefault(a => !TemplateExpression.IsTrue(a)) ?? arguments[^1];
            case "or" when arguments.Count >= 1:
                return arguments.FirstOrDefault(TemplateExpression.IsTrue) ?? arguments[^1];
            case "len" when arguments.Count == 1:
                return arguments[0] switch
                {
                    string text => (long)System.Text.Encoding.UTF8.GetByteCount(text),
                    IReadOnlyDictionary<string, object> map => (long)map.Count,
                    _ => throw new TemplateException("len wants a text or a map"),
                };
            case "join" or "index" or "eq" or "ne" or "not" or "and" or "or" or "len":
                throw new TemplateException($"wrong number of arguments for {name}: {arguments.Count}");
            default:
                throw new TemplateException($"function \"{name}\" not defined");
        }
    }

    // A key that is not there gives an empty text, as in Go.
    private static object Index(object value, object key) => value is IReadOnlyDictionary<string, object> map && key is string name
        ? map.TryGetValue(name, out var inside) ? inside : ""
        : throw new TemplateException("index wants a map and a text");
}
