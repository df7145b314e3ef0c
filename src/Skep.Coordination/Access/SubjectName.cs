using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Skep.Coordination.Access;

/// <summary>
/// A certificate's subject as ZooKeeper's ACLs have it, which is as Java writes RFC 2253: what is most special comes first, and what has no
/// keyword there is told by its number and in hex.
/// </summary>
internal static class SubjectName
{
    private const string Escaped = ",=+<>#;\"\\";

    private static readonly Dictionary<string, string> Keywords = new()
    {
        ["2.5.4.3"] = "CN",
        ["2.5.4.6"] = "C",
        ["2.5.4.7"] = "L",
        ["2.5.4.8"] = "ST",
        ["2.5.4.9"] = "STREET",
        ["2.5.4.10"] = "O",
        ["2.5.4.11"] = "OU",
        ["0.9.2342.19200300.100.1.1"] = "UID",
        ["0.9.2342.19200300.100.1.25"] = "DC",
    };

    public static string Of(X500DistinguishedName name)
    {
        var parts = new Stack<string>();
        AsnReader all = new AsnReader(name.RawData, AsnEncodingRules.DER).ReadSequence();
        while (all.HasData)
        {
            AsnReader part = all.ReadSetOf(skipSortOrderValidation: true);
            var attributes = new List<string>();
            while (part.HasData)
            {
                AsnReader attribute = part.ReadSequence();
                attributes.Add(Attribute(attribute.ReadObjectIdentifier(), attribute.PeekTag(), attribute.PeekContentBytes(), attribute.ReadEncodedValue()));
            }
            parts.Push(string.Join('+', attributes));
        }
        return string.Join(',', parts);
    }

    private static string Attribute(string type, Asn1Tag tag, ReadOnlyMemory<byte> content, ReadOnlyMemory<byte> encoded)
    {
        bool isText = tag.TagClass == TagClass.Universal && (UniversalTagNumber)tag.TagValue is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString
            or UniversalTagNumber.IA5String or UniversalTagNumber.T61String or UniversalTagNumber.GeneralString or UniversalTagNumber.BMPString or UniversalTagNumber.UniversalString;
        return Keywords.TryGetValue(type, out string? keyword) && isText
            ? $"{keyword}={Escape(Encoding.UTF8.GetString(content.Span))}"
            : $"{keyword ?? type}=#{Convert.ToHexStringLower(encoded.Span)}";
    }

    private static string Escape(string value)
    {
        int first = value.Length - value.TrimStart(' ', '\r').Length;
        int end = value.TrimEnd(' ', '\r').Length;
        var text = new StringBuilder();
        for (int i = 0; i < value.Length; i++)
        {
            text.Append(i < first || i >= end || Escaped.Contains(value[i], StringComparison.Ordinal) ? "\\" : "").Append(value[i] == '\0' ? "\\00" : value[i].ToString());
        }
        return text.ToString();
    }
}
