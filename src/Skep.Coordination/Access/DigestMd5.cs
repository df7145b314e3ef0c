using System.Security.Cryptography;
using System.Text;

namespace Skep.Coordination.Access;

/// <summary>
/// The server's part of SASL's DIGEST-MD5 (RFC 2831) as ZooKeeper's clients speak it: one realm, one quality of protection ("auth"),
/// nothing taken up again. Historic (RFC 6331): what is kept secret on the way is the password, not that it could be guessed at.
/// </summary>
internal static class DigestMd5
{
    /// <summary>The realm and the host that clients name: what ZooKeeper calls itself to SASL.</summary>
    public const string Realm = "zk-sasl-md5";

    /// <summary>The longest token that is looked at, in bytes (RFC 2831, 2.1.2).</summary>
    public const int MaxTokenBytes = 4096;

    private const string Uri = "zookeeper/" + Realm;
    private const string OnlyUse = "00000001";
    private const string Quality = "auth";

    /// <summary>What the client is to answer.</summary>
    /// <param name="nonce">Never the same twice.</param>
    public static byte[] Challenge(string nonce) =>
        Encoding.ASCII.GetBytes($"realm=\"{Realm}\",nonce=\"{nonce}\",charset=utf-8,algorithm=md5-sess");

    /// <summary>Looks at a client's answer to a challenge.</summary>
    /// <param name="token">The answer.</param>
    /// <param name="nonce">The challenge's.</param>
    /// <param name="passwordOf">A user's password; null for nobody's.</param>
    /// <returns>Who it is, and the proof that this side knows the password too.</returns>
    /// <exception cref="SaslRefusedException">It is no right answer.</exception>
    public static (string User, byte[] Proof) Answer(ReadOnlySpan<byte> token, string nonce, Func<string, string?> passwordOf)
    {
        if (token.Length > MaxTokenBytes)
        {
            throw new SaslRefusedException($"an answer of {token.Length} bytes; at most {MaxTokenBytes} are looked at");
        }
        Dictionary<string, string> said = SaslDirectives.Read(token);
        string Said(string name) => said.GetValueOrDefault(name) ?? throw new SaslRefusedException($"the answer has no {name}");
        bool isUtf8 = said.TryGetValue("charset", out string? charset) && charset == "utf-8";
        string user = Text(Said("username"), isUtf8);
        Require("realm", Text(said.GetValueOrDefault("realm", ""), isUtf8), Realm);
        Require("nonce", Said("nonce"), nonce);
        Require("nc", Said("nc"), OnlyUse);
        Require("qop", said.GetValueOrDefault("qop", Quality), Quality);
        Require("digest-uri", Said("digest-uri").ToLowerInvariant(), Uri);
        string? authorized = said.TryGetValue("authzid", out string? other) ? Text(other, isUtf8) : null;
        if (authorized is { Length: > 0 } && authorized != user)
        {
            throw new SaslRefusedException($"{user} asks to be {authorized}, which nobody may");
        }

        // As much is done for a user that there is not, so that the time taken does not tell.
        string? password = passwordOf(user);
        byte[] session = Session(Secret(user, Realm, password ?? "", isUtf8), nonce, Said("cnonce"), authorized is { Length: > 0 } ? other : null);
        string Response(string what) => DigestMd5.Response(session, $"{what}:{Said("digest-uri")}", nonce, Said("cnonce"));
        bool isRight = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Response("AUTHENTICATE")), Encoding.Latin1.GetBytes(Said("response")));
        return isRight && password is not null
            ? (user, Encoding.ASCII.GetBytes("rspauth=" + Response("")))
            : throw new SaslRefusedException($"{user} is nobody here, or has another password");
    }

    /// <summary>H(user:realm:password).</summary>
    internal static byte[] Secret(string user, string realm, string password, bool isUtf8) =>
        Hash([.. Bytes(user, isUtf8), (byte)':', .. Bytes(realm, isUtf8), (byte)':', .. Bytes(password, isUtf8)]);

    /// <summary>H(A1); what the client said, a byte a character.</summary>
    internal static byte[] Session(byte[] secret, string nonce, string cnonce, string? authzid) =>
        Hash([.. secret, .. Encoding.Latin1.GetBytes(authzid is null ? $":{nonce}:{cnonce}" : $":{nonce}:{cnonce}:{authzid}")]);

    /// <summary>What proves that one has the session's key.</summary>
    internal static string Response(byte[] session, string a2, string nonce, string cnonce) =>
        Hex(Hash(Encoding.Latin1.GetBytes($"{Hex(session)}:{nonce}:{OnlyUse}:{cnonce}:{Quality}:{Hex(Hash(Encoding.Latin1.GetBytes(a2)))}")));

    private static void Require(string name, string said, string expected)
    {
        if (said != expected)
        {
            throw new SaslRefusedException($"{name} is \"{said}\"; expected \"{expected}\"");
        }
    }

    // What was said is kept a byte a character until it is known what the bytes stand for.
    private static string Text(string bytes, bool isUtf8) => isUtf8 ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(bytes)) : bytes;

    // In Latin-1 wherever that can be (RFC 2831, 2.1.2.1), so that it comes to the same however the client encodes.
    private static byte[] Bytes(string text, bool isUtf8) =>
        text.All(static c => c <= 0xFF) ? Encoding.Latin1.GetBytes(text)
        : isUtf8 ? Encoding.UTF8.GetBytes(text)
        : throw new SaslRefusedException("the password has letters beyond Latin-1, and the client does not speak UTF-8");

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

#pragma warning disable CA5351 // The mechanism is MD5.
    private static byte[] Hash(byte[] bytes) => MD5.HashData(bytes);
#pragma warning restore CA5351
}
