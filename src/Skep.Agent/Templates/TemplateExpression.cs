using System.Globalization;
using System.Text;

namespace Skep.Agent.Templates;

/// <summary>What stands between the braces: a pipeline of calls on fields, texts, numbers and truths.</summary>
internal sealed class TemplateExpression(string source, TemplateContext context)
{
    private const int MaxDepth = 32;
    private int _at;
    private int _depth;

    public static string ToText(object value) => value switch
    {
        string text => text,
        bool truth => truth ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        IReadOnlyDictionary<string, object> map =>
            $"map[{string.Join(' ', map.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}:{ToText(e.Value)}"))}]",
        _ => throw new TemplateException($"cannot print a {value.GetType().Name}"),
    };

    public static bool IsTrue(object value) => value switch
    {
        string text => text.Length > 0,
        bool truth => truth,
        long number => number != 0,
        IReadOnlyDictionary<string, object> map => map.Count > 0,
        _ => true,
    };

    public object Evaluate()
    {
        var value = Pipeline();
        return Peek() is null ? value : throw Unexpected();
    }

    private object Pipeline()
    {
        if (++_depth > MaxDepth)
        {
            throw new TemplateException($"more than {MaxDepth} parentheses");
        }

        var value = Command(null);
        while (Peek() == '|')
        {
            _at++;
            value = Command(value);
        }

        _depth--;
        return value;
    }

    private object Command(object? piped)
    {
        if (Peek() is { } c && (char.IsAsciiLetter(c) || c == '_'))
        {
            var name = Word();
            if (name is "true" or "false")
            {
                return name == "true";
            }

            var arguments = new List<object>();
            while (Peek() is not (null or '|' or ')'))
            {
                arguments.Add(Operand());
            }

            if (piped is not null)
            {
                arguments.Add(piped);
            }

            return TemplateFunctions.Call(name, arguments, context);
        }

        var value = Operand();
        return piped is null && Peek() is null or '|' or ')' ? value : throw Unexpected();
    }

    private object Operand()
    {
        switch (Peek())
        {
            case '.':
                return Field();
            case '"' or '`':
                return Text();
            case '(':
                _at++;
                var value = Pipeline();
                if (Peek() != ')')
                {
                    throw Unexpected();
                }

                _at++;
                return value;
            case { } c when char.IsAsciiDigit(c) || c == '-':
                return Number();
            case { } c when char.IsAsciiLetter(c):
                var word = Word();
                return word switch
                {
                    "true" => true,
                    "false" => false,
                    _ => TemplateFunctions.Call(word, [], context),
                };
            default:
                throw Unexpected();
        }
    }

    private object Field()
    {
        object value = context.Root;
        var start = _at;
        while (_at < source.Length && source[_at] == '.')
        {
            _at++;
            var name = Word();
            if (name.Length == 0 && _at - start == 1)
            {
                return value;
            }

            value = value is IReadOnlyDictionary<string, object> map && map.TryGetValue(name, out var inside)
                ? inside
                : throw new TemplateException($"there is no {source[start.._at]}");
        }

        return value;
    }

    private string Word()
    {
        var start = _at;
        while (_at < source.Length && (char.IsAsciiLetterOrDigit(source[_at]) || source[_at] == '_'))
        {
            _at++;
        }

        return source[start.._at];
    }

    private long Number()
    {
        var start = _at++;
        while (_at < source.Length && char.IsAsciiDigit(source[_at]))
        {
            _at++;
        }

        return long.TryParse(source.AsSpan(start, _at - start), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n)
            ? n
            : throw new TemplateException($"bad number {source[start.._at]}");
    }

    private string Text()
    {
        var quote = source[_at++];
        var text = new StringBuilder();
        while (_at < source.Length && source[_at] != quote)
        {
            if (source[_at] == '\\' && quote == '"' && ++_at < source.Length)
            {
                text.Append(source[_at] switch
                {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '"' => '"',
                    '\\' => '\\',
                    var c => throw new TemplateException($"unknown escape \\{c}"),
                });
            }
            else
            {
                text.Append(source[_at]);
            }

            _at++;
        }

        if (_at >= source.Length)
        {
            throw new TemplateException("text without closing quote");
        }

        _at++;
        return text.ToString();
    }

    private char? Peek()
    {
        while (_at < source.Length && char.IsWhiteSpace(source[_at]))
        {
            _at++;
        }

        return _at < source.Length ? source[_at] : null;
    }

    private TemplateException Unexpected() => new(
        _at < source.Length ? $"unexpected \"{source[_at..]}\" in {{{{{source}}}}}" : $"{{{{{source}}}}} ends too early");
}
