using CsCheck;
using Skep.Api;

namespace Skep.Identity.Tests.Tokens;

public sealed class IdsTests
{
    [Fact]
    public void Every_id_has_25_characters_of_base36() =>
        Gen.Int.Sample(seed => Ids.IsId(Ids.New(new Random(seed))));

    [Fact]
    public void No_two_ids_are_alike() => Assert.Equal(10_000, Enumerable.Range(0, 10_000).Select(_ => Ids.New()).Distinct().Count());

    [Fact]
    public void Every_character_takes_every_place()
    {
        var random = new Random(1);
        var seen = Enumerable.Range(0, Ids.Length).Select(_ => new HashSet<char>()).ToArray();
        for (var i = 0; i < 5_000; i++)
        {
            var id = Ids.New(random);
            for (var at = 0; at < id.Length; at++)
            {
                seen[at].Add(id[at]);
            }
        }

        Assert.All(seen, place => Assert.Equal(36, place.Count));
    }

    [Fact]
    public void Numbers_survive_base36() =>
        Gen.Byte.Array[32].Sample(bytes =>
        {
            var back = new byte[32];
            return Base36.TryDecode(Base36.Encode(bytes, 50), back) && back.AsSpan().SequenceEqual(bytes);
        });
}
