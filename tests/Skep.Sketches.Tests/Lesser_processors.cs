using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Skep.Sketches.Tests;

/// <summary>What has several ways to the same bits, on processors that know fewer of them: this program's own tests, with instructions switched off.</summary>
public sealed class Lesser_processors
{
    [Theory]
    [InlineData("EnableAVX512", nameof(Avx512DQ))]
    [InlineData("EnableAVX2", nameof(Avx2))]
    [InlineData("EnableHWIntrinsic", nameof(Vector128))]
    public async Task Find_the_same_bits(string knob, string without)
    {
        CancellationToken ct = TestContext.Current.CancellationToken;
        string program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(
            program, ["-noColor", "-class", typeof(Hash_functions).FullName!, "-class", typeof(Membership).FullName!, "-class", typeof(Instructions).FullName!])
        {
            RedirectStandardOutput = true,
            Environment = { [$"DOTNET_{knob}"] = "0", [Instructions.Without] = without },
        };
        using Process process = Process.Start(start)!;
        string said = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        Assert.True(process.ExitCode == 0, said);
        Assert.Contains("Failed: 0", said, StringComparison.Ordinal);
    }

    /// <summary>Whether the switch does what its name says.</summary>
    public sealed class Instructions
    {
        public const string Without = "SKEP_TEST_WITHOUT";

        [Fact]
        public void Are_as_they_were_asked_for()
        {
            bool has = Environment.GetEnvironmentVariable(Without) switch
            {
                nameof(Avx512DQ) => Avx512DQ.VL.IsSupported,
                nameof(Avx2) => Avx2.IsSupported,
                nameof(Vector128) => Vector256.IsHardwareAccelerated || Sse42.IsSupported,
                _ => false,
            };
            Assert.False(has);
        }
    }
}
