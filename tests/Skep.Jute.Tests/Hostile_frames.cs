using System.Buffers;

namespace Skep.Jute.Tests;

public sealed class Hostile_frames
{
    [Theory]
    [InlineData("FFFFFFFE")]
    [InlineData("80000000")]
    public void A_negative_length_other_than_none_is_refused(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);
        Assert.Throws<JuteFormatException>(() => { var r = new JuteReader(bytes); r.ReadBuffer(); });
        Assert.Throws<JuteFormatException>(() => { var r = new JuteReader(bytes); r.ReadString(); });
        Assert.Throws<JuteFormatException>(() => { var r = new JuteReader(bytes); r.ReadStrings(); });
    }

    [Fact]
    public void A_vector_of_two_thousand_million_elements_is_refused_before_anything_is_allocated()
    {
        byte[] bytes = Convert.FromHexString("7FFFFFFF" + "00000000");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<JuteFormatException>(() => { var r = new JuteReader(bytes); r.ReadRecords<Acl>(12); });
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000);
    }

    [Fact]
    public void A_frame_above_the_limit_is_refused_as_soon_as_its_length_is_there()
    {
        var received = new ReadOnlySequence<byte>(Convert.FromHexString("00100000"));
        JuteFormatException refused = Assert.Throws<JuteFormatException>(
            () => JuteFrame.TryRead(ref received, JuteFrame.DefaultMaxBytes, out _));
        Assert.Contains("jute.maxbuffer", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_multi_with_an_operation_that_no_multi_holds_is_refused()
    {
        byte[] bytes = Convert.FromHexString("00000064" + "00" + "FFFFFFFF");
        Assert.Throws<JuteFormatException>(() => { var r = new JuteReader(bytes); MultiRequest.Read(ref r); });
    }

    [Fact]
    public void Frames_are_cut_off_one_by_one_and_a_part_of_one_stays()
    {
        byte[] one = JuteFrame.Make(o => JuteFrame.Put(o, new PathRequest("/a")));
        var received = new ReadOnlySequence<byte>([.. one, .. one, 0, 0]);
        for (int i = 0; i < 2; i++)
        {
            Assert.True(JuteFrame.TryRead(ref received, 100, out ReadOnlySequence<byte> frame));
            var reader = new JuteReader(frame);
            Assert.Equal("/a", PathRequest.Read(ref reader).Path);
        }
        Assert.False(JuteFrame.TryRead(ref received, 100, out _));
        Assert.Equal(2, received.Length);
    }
}
