using System.Text;

namespace Skep.Agent.Templates;

/// <summary>
/// The part of Go's text/template that services use: fields, <c>index</c>, <c>join</c>, comparisons, <c>and or not</c>,
/// pipelines, <c>if / else if / else / end</c>, comments and trimming. Whatever else is written is an error that names it,
/// never text that stays as it was.
/// </summary>
internal sealed class Template
{
    private const int MaxOutputSizeBytes = 4 * 1024 * 1024;
    private readonly List<(bool IsAction, string Text)> _parts;
    private readonly TemplateContext _context;
    private readonly StringBuilder _output = new();
    private int _at;

    private Template(string text, TemplateContext context)
    {
        _parts = TemplateParts.Split(text);
        _context = context;
    }

    /// <summary>Expands the template.</summary>
    /// <exception cref="TemplateException">It is wrong, or refers to what there is not.</exception>
    public static string Expand(string text, TemplateContext context)
    {
        if (!text.Contains("{{", StringComparison.Ordinal))
        {
            return text;
        }

        var template = new Template(text, context);
        if (template.Run(live: true) is { } stray)
        {
            throw new TemplateException($"unexpected {{{{{stray}}}}}");
        }

        return template._output.ToString();
    }

    /// <summary>Runs to the end of the text or of a block; returns the action that ended it.</summary>
    private string? Run(bool live)
    {
        while (_at < _parts.Count)
        {
            var (isAction, text) = _parts[_at++];
            if (!isAction)
            {
                Write(text, live);
                continue;
            }

            if (text == "end" || text == "else" || text.StartsWith("else ", StringComparison.Ordinal))
            {
                return text;
            }

            if (text.StartsWith("if ", StringComparison.Ordinal))
            {
                RunIf(text[3..], live);
            }
            else if (live)
            {
                Write(TemplateExpression.ToText(Evaluate(text)), live);
            }
        }

        return null;
    }

    private void RunIf(string condition, bool live)
    {
        var taken = live && TemplateExpression.IsTrue(Evaluate(condition));
        var any = taken;
        while (true)
        {
            var ended = Run(taken) ?? throw new TemplateException("{{if}} without {{end}}");
            if (ended == "end")
            {
                return;
            }

            var rest = ended[4..].Trim();
            if (rest.Length > 0 && !rest.StartsWith("if ", StringComparison.Ordinal))
            {
                throw new TemplateException($"unexpected {{{{{ended}}}}}");
            }

            taken = live && !any && (rest.Length == 0 || TemplateExpression.IsTrue(Evaluate(rest[3..])));
            any |= taken;
        }
    }

    private object Evaluate(string expression) => new TemplateExpression(expression, _context).Evaluate();

    private void Write(string text, bool live)
    {
        if (!live)
        {
            return;
        }

        _output.Append(text);
        if (_output.Length > MaxOutputSizeBytes)
        {
            throw new TemplateException($"expands to more than {MaxOutputSizeBytes} characters");
        }
    }
}
