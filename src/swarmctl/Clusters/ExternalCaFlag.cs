using Docker.Swarmkit.V1;

namespace Swarmctl.Clusters;

/// <summary>Certificate signing endpoints: <c>protocol=cfssl,url=https://…</c>, each in one flag.</summary>
internal static class ExternalCaFlag
{
    public static IEnumerable<ExternalCA> Parse(IEnumerable<string> values) => values.Select(Parse);

    private static ExternalCA Parse(string value)
    {
        var ca = new ExternalCA();
        bool hasProtocol = false;
        foreach (string field in value.Split(','))
        {
            string[] parts = field.Split('=', 2, StringSplitOptions.TrimEntries);
            if (parts.Length != 2)
            {
                throw new UserException($"invalid argument \"{value}\" for --external-ca: invalid field '{field}', it must be key=value");
            }
            switch (parts[0].ToLowerInvariant())
            {
                case "protocol" when parts[1].Equals("cfssl", StringComparison.OrdinalIgnoreCase):
                    ca.Protocol = ExternalCA.Types.CAProtocol.Cfssl;
                    hasProtocol = true;
                    break;
                case "protocol":
                    throw new UserException($"invalid argument \"{value}\" for --external-ca: unrecognized external CA protocol {parts[1]}, expected cfssl");
                case "url":
                    ca.Url = parts[1];
                    break;
                default:
                    ca.Options[parts[0]] = parts[1];
                    break;
            }
        }
        if (!hasProtocol || ca.Url.Length == 0)
        {
            throw new UserException($"invalid argument \"{value}\" for --external-ca: the external-ca option needs a protocol= and a url= parameter");
        }
        return ca;
    }
}
