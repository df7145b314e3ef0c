namespace Skep.Jute;

/// <summary>
/// The answer to one part of a multi. <see cref="Type"/> is <see cref="OpCode.Error"/> where the part was not done, and
/// <see cref="Err"/> says why; 0 there means that it would have been done, had the others been possible.
/// </summary>
public readonly record struct MultiResult(
    OpCode Type, ErrorCode Err, string Path, Stat Stat, ReadOnlyMemory<byte>? Data, IReadOnlyList<string> Children)
{
    /// <summary>A part that was not done.</summary>
    public static MultiResult Failed(ErrorCode err) => new(OpCode.Error, err, "", default, null, []);
}

/// <summary>The answers to the parts of a multi or multiRead, in their order.</summary>
public readonly record struct MultiResponse(IReadOnlyList<MultiResult> Results) : IJuteRecord<MultiResponse>
{
    private static readonly MultiHeader End = new(-1, true, -1);

    /// <inheritdoc/>
    public static MultiResponse Read(ref JuteReader reader)
    {
        var results = new List<MultiResult>();
        for (MultiHeader header = MultiHeader.Read(ref reader); !header.Done; header = MultiHeader.Read(ref reader))
        {
            results.Add(ReadResult((OpCode)header.Type, ref reader));
        }
        return new MultiResponse(results);
    }

    /// <inheritdoc/>
    public void Write(ref JuteWriter writer)
    {
        foreach (MultiResult result in Results)
        {
            new MultiHeader((int)result.Type, false, (int)result.Err).Write(ref writer);
            WriteResult(result, ref writer);
        }
        End.Write(ref writer);
    }

    private static MultiResult ReadResult(OpCode type, ref JuteReader reader)
    {
        var done = new MultiResult(type, ErrorCode.Ok, "", default, null, []);
        switch (type)
        {
            case OpCode.Create:
                return done with { Path = reader.ReadString() };
            case OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                var created = Create2Response.Read(ref reader);
                return done with { Path = created.Path, Stat = created.Stat };
            case OpCode.SetData:
                return done with { Stat = Stat.Read(ref reader) };
            case OpCode.Delete or OpCode.Check:
                return done;
            case OpCode.GetData:
                var data = GetDataResponse.Read(ref reader);
                return done with { Data = data.Data, Stat = data.Stat };
            case OpCode.GetChildren:
                return done with { Children = reader.ReadStrings() };
            case OpCode.Error:
                return MultiResult.Failed((ErrorCode)reader.ReadInt());
            default:
                throw new JuteFormatException($"a multi's answer holds a result of type {(int)type}, which is none of a multi's");
        }
    }

    private static void WriteResult(MultiResult result, ref JuteWriter writer)
    {
        switch (result.Type)
        {
            case OpCode.Create:
                writer.WriteString(result.Path);
                break;
            case OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl:
                new Create2Response(result.Path, result.Stat).Write(ref writer);
                break;
            case OpCode.SetData:
                result.Stat.Write(ref writer);
                break;
            case OpCode.Delete or OpCode.Check:
                break;
            case OpCode.GetData:
                new GetDataResponse(result.Data, result.Stat).Write(ref writer);
                break;
            case OpCode.GetChildren:
                writer.WriteStrings(result.Children);
                break;
            case OpCode.Error:
                writer.WriteInt((int)result.Err);
                break;
            default:
                throw new ArgumentException($"a result of type {result.Type} cannot be part of a multi's answer", nameof(result));
        }
    }
}
