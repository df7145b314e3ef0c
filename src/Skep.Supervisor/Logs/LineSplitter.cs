namespace Skep.Supervisor.Logs;

/// <summary>
/// Cuts a stream into log records: a line with its newline, or a piece of <see cref="MaxRecordBytes"/> of a longer one.
/// </summary>
internal sealed class LineSplitter
{
    public const int MaxRecordBytes = 16 * 1024;

    private byte[] _held = [];
    private int _heldLength;

    public delegate void OnRecord(ReadOnlySpan<byte> record);

    public void Feed(ReadOnlySpan<byte> bytes, OnRecord onRecord)
    {
        while (!bytes.IsEmpty)
        {
            var room = MaxRecordBytes - _heldLength;
            var window = bytes[..Math.Min(room, bytes.Length)];
            var newline = window.IndexOf((byte)'\n');
            var take = newline >= 0 ? newline + 1 : window.Length;
            if (newline < 0 && take < room)
            {
                Hold(window);
                return;
            }
            if (_heldLength == 0)
            {
                onRecord(window[..take]);
            }
            else
            {
                Hold(window[..take]);
                Flush(onRecord);
            }
            bytes = bytes[take..];
        }
    }

    /// <summary>Hands out an unfinished last line.</summary>
    public void Flush(OnRecord onRecord)
    {
        if (_heldLength > 0)
        {
            onRecord(_held.AsSpan(0, _heldLength));
            _held = [];
            _heldLength = 0;
        }
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        if (_heldLength + bytes.Length > _held.Length)
        {
            Array.Resize(ref _held, Math.Min(MaxRecordBytes, Math.Max(256, (_heldLength + bytes.Length) * 2)));
        }
        bytes.CopyTo(_held.AsSpan(_heldLength));
        _heldLength += bytes.Length;
    }
}
