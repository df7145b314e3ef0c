using CsCheck;
using Docker.Swarmkit.V1;
using Google.Protobuf.Reflection;
using Skep.Api;

namespace Skep.Api.Tests;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData(0, "0s")]
    [InlineData(1, "1ns")]
    [InlineData(1_500, "1.5µs")]
    [InlineData(100_000_000, "100ms")]
    [InlineData(1_500_000_000, "1.5s")]
    [InlineData(10_000_000_000, "10s")]
    [InlineData(60_000_000_000, "1m0s")]
    [InlineData(90_061_000_000_000, "25h1m1s")]
    [InlineData(7_776_000_000_000_000, "2160h0m0s")]
    [InlineData(-5_000_000_000, "-5s")]
    [InlineData(long.MinValue, "-2562047h47m16.854775808s")]
    public void Is_written_as_Go_writes_it(long nanoseconds, string text) => Assert.Equal(text, GoDuration.Format(nanoseconds));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("10s", 10_000_000_000)]
    [InlineData("1h30m", 5_400_000_000_000)]
    [InlineData("1.5s", 1_500_000_000)]
    [InlineData(".5s", 500_000_000)]
    [InlineData("-2m", -120_000_000_000)]
    [InlineData("+1us", 1_000)]
    [InlineData("1µs", 1_000)]
    [InlineData("2160h0m0s", 7_776_000_000_000_000)]
    public void Is_read_as_Go_reads_it(string text, long nanoseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(nanoseconds, GoDuration.ToNanoseconds(duration));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("1.2.3s")]
    [InlineData("5 s")]
    [InlineData("5d")]
    [InlineData("--5s")]
    [InlineData("300000000h")]
    public void Is_refused_when_it_is_none(string? text) => Assert.False(GoDuration.TryParse(text, out _));

    [Fact]
    public void What_is_written_is_read_again() => Gen.Long.Sample(ns =>
        ns == long.MinValue || (GoDuration.TryParse(GoDuration.Format(ns), out var read) && GoDuration.ToNanoseconds(read) == ns));

    [Fact]
    public void A_refusal_names_the_text_and_says_what_one_looks_like() =>
        Assert.Contains("\"soon\"", Assert.Throws<FormatException>(() => GoDuration.Parse("soon")).Message, StringComparison.Ordinal);
}

public sealed class ByteSizesTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(9, "9 B")]
    [InlineData(100, "100 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(25_769_803_776, "24 GiB")]
    [InlineData(1_610_612_736, "1.5 GiB")]
    public void Is_written_as_SwarmKit_writes_it(long sizeBytes, string text) => Assert.Equal(text, ByteSizes.Format(sizeBytes));

    [Theory]
    [InlineData("512m", 536_870_912)]
    [InlineData("512M", 536_870_912)]
    [InlineData("2g", 2_147_483_648)]
    [InlineData("1.5GiB", 1_610_612_736)]
    [InlineData("4 mib", 4_194_304)]
    [InlineData("100", 100)]
    [InlineData("7b", 7)]
    public void Is_read_in_powers_of_1024(string text, long sizeBytes)
    {
        Assert.True(ByteSizes.TryParse(text, out long read));
        Assert.Equal(sizeBytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-1m")]
    [InlineData("1x")]
    [InlineData("99999999p")]
    public void Is_refused_when_it_is_none(string text) => Assert.False(ByteSizes.TryParse(text, out _));
}

public sealed class WireNamesTests
{
    [Fact]
    public void Every_enum_of_the_contracts_has_its_own_names()
    {
        var wrong = new List<string>();
        foreach (EnumDescriptor e in Contracts.Enums())
        {
            foreach (EnumValueDescriptor v in e.Values)
            {
                object value = Enum.ToObject(e.ClrType, v.Number);
                string name = (string)typeof(WireNames).GetMethod(nameof(WireNames.Of))!.MakeGenericMethod(e.ClrType).Invoke(null, [value])!;
                if (name != v.Name)
                {
                    wrong.Add($"{e.FullName}: {name} for {v.Name}");
                }
            }
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void A_value_of_the_future_is_its_number() => Assert.Equal("77", WireNames.Of((TaskState)77));

    [Theory]
    [InlineData("on-failure")]
    [InlineData("ON_FAILURE")]
    [InlineData("onfailure")]
    public void Names_are_read_however_people_write_them(string text)
    {
        Assert.True(WireNames.TryParse(text, out RestartPolicy.Types.RestartCondition condition));
        Assert.Equal(RestartPolicy.Types.RestartCondition.OnFailure, condition);
    }

    [Fact]
    public void A_name_that_is_none_is_refused() => Assert.False(WireNames.TryParse("sometimes", out RestartPolicy.Types.RestartCondition _));
}

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("redis", "docker.io/library/redis", "redis")]
    [InlineData("redis:3.0.5", "docker.io/library/redis:3.0.5", "redis:3.0.5")]
    [InlineData("docker.io/redis", "docker.io/library/redis", "redis")]
    [InlineData("index.docker.io/a/b", "docker.io/a/b", "a/b")]
    [InlineData("a/b:latest", "docker.io/a/b:latest", "a/b:latest")]
    [InlineData("localhost:5000/x/y_z:1", "localhost:5000/x/y_z:1", "localhost:5000/x/y_z:1")]
    [InlineData("Registry/x", "Registry/x", "Registry/x")]
    [InlineData("[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x")]
    [InlineData("redis@" + Digest, "docker.io/library/redis@" + Digest, "redis@" + Digest)]
    [InlineData("a--b/c__d.e", "docker.io/a--b/c__d.e", "a--b/c__d.e")]
    public void Is_read_with_what_is_implied(string text, string whole, string familiar)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal(whole, reference.ToString());
        Assert.Equal(familiar, reference.Familiar);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Redis")]
    [InlineData("redis:")]
    [InlineData("redis: 3")]
    [InlineData(":3")]
    [InlineData("a//b")]
    [InlineData("-a")]
    [InlineData("a___b")]
    [InlineData("a..b/c/d_")]
    [InlineData("x@sha256:12")]
    [InlineData("https://host/x")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void Is_refused_when_it_is_none(string text) => Assert.False(ImageReference.TryParse(text, out _));

    [Fact]
    public void What_was_read_reads_the_same_when_written_whole() =>
        Gen.String["ab1Z./:@-_[]sha256"].Sample(text =>
            !ImageReference.TryParse(text, out var reference)
            || (ImageReference.Parse(reference.ToString()) == reference && ImageReference.Parse(reference.Familiar) == reference));

    [Fact]
    public void A_name_of_more_than_255_characters_is_refused() => Assert.False(ImageReference.TryParse(new string('a', 300), out _));
}
