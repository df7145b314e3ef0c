using Skep.Raft.Log;

namespace Skep.Raft.Tests.Simulation;

/// <summary>
/// Watches all that is written, over all crashes of a run, and objects when one key's nonce is used for two different
/// frames: that would give away both.
/// </summary>
internal sealed class NonceWitness
{
    private readonly Dictionary<object, string> _salts = [];
    private readonly Dictionary<(string Salt, ulong Counter), byte[]> _frames = [];

    public int FramesSeen => _frames.Count;

    public void Saw(object file, long offset, byte[] data)
    {
        if (offset == 0 && data.Length == LogFormat.HeaderSizeBytes)
        {
            _salts[file] = Convert.ToHexString(data.AsSpan(56, LogFormat.SaltSizeBytes));
            return;
        }

        for (var at = 0; at < data.Length && FrameHeader.Read(data.AsSpan(at), offset + at, out var header) is null; at += header.PaddedLengthBytes)
        {
            var frame = data[at..(at + header.LengthBytes)];
            if (!_frames.TryAdd((_salts[file], header.Counter), frame) && !_frames[(_salts[file], header.Counter)].SequenceEqual(frame))
            {
                throw new InvalidOperationException($"nonce {header.Counter} was used twice under one key");
            }
        }
    }
}
