using System.Buffers;

namespace Skep.Bench.Raft;

/// <summary>The last answer that is owed is written at once; others go out together with those that come meanwhile.</summary>
internal sealed class AnswerWriter(Stream stream)
{
    private readonly Lock _gate = new();
    private ArrayBufferWriter<byte> _waiting = new(4096);
    private ArrayBufferWriter<byte> _sending = new(4096);
    private bool _writing;
    private int _owed;

    public void Owe() => Interlocked.Increment(ref _owed);

    public void Add(ReadOnlySpan<byte> number, bool taken)
    {
        bool last = Interlocked.Decrement(ref _owed) == 0;
        lock (_gate)
        {
            _waiting.Write(number);
            _waiting.Write([taken ? (byte)1 : (byte)0]);
            if (_writing)
            {
                return;
            }

            _writing = true;
        }

        if (last)
        {
            _ = WriteAsync();
            return;
        }

        // On another thread, so that the answers that are told together with this one go out together with it.
        ThreadPool.UnsafeQueueUserWorkItem(static me => _ = me.WriteAsync(), this, preferLocal: true);
    }

    private async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                lock (_gate)
                {
                    if (_waiting.WrittenCount == 0)
                    {
                        _writing = false;
                        return;
                    }

                    (_waiting, _sending) = (_sending, _waiting);
                }

                await stream.WriteAsync(_sending.WrittenMemory);
                _sending.ResetWrittenCount();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client went.
        }
    }
}
