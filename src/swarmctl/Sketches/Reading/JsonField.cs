using System.Text;
using System.Text.Json;

namespace Swarmctl.Sketches.Reading;

/// <summary>
/// A field of JSON lines, by name, or by names with dots between for what is nested. Of a string the text is the key, of a number, true and
/// false what is written. A line that is no JSON object, or has no such field (or null), has no key.
/// </summary>
internal readonly struct JsonField(string path) : IField
{
    private readonly byte[][] names = [.. path.Split('.').Select(Encoding.UTF8.GetBytes)];

    public bool TryRead(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> key)
    {
        key = default;
        if (line.TrimStart(" \t"u8) is not [(byte)'{', ..])
        {
            // Seen here it costs next to nothing, an exception of the reader microseconds: logs have such lines among others.
            return false;
        }
        try
        {
            var reader = new Utf8JsonReader(line);
            int depth = 0;
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool wanted = reader.ValueTextEquals(names[depth]);
                reader.Read();
                if (!wanted)
                {
                    reader.Skip();
                }
                else if (++depth == names.Length)
                {
                    key = reader.ValueSpan;
                    if (reader.TokenType == JsonTokenType.String && reader.ValueIsEscaped)
                    {
                        byte[] plain = new byte[key.Length];
                        key = plain.AsSpan(0, reader.CopyString(plain));
                    }
                    return reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False;
                }
                else if (reader.TokenType != JsonTokenType.StartObject)
                {
                    return false;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or (the latter) a text that is none, such as half a surrogate pair: no key.
            key = default;
        }
        return false;
    }
}
