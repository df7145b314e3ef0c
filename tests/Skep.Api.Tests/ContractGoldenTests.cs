using System.Text;
using Google.Protobuf.Reflection;

namespace Skep.Api.Tests;

/// <summary>
/// Every service, method, message, field and enum value of the contracts, as contracts.golden has them: what changes there is
/// seen in review. A change that is meant is taken over with SKEP_ACCEPT=1 in the environment of this test.
/// </summary>
public sealed class ContractGoldenTests
{
    private const string GoldenName = "contracts.golden";

    [Fact]
    public void The_contracts_are_what_the_golden_file_says()
    {
        string actual = Describe();
        string path = Path.Combine(SourceFolder(), GoldenName);
        if (Environment.GetEnvironmentVariable("SKEP_ACCEPT") == "1")
        {
            File.WriteAllText(path, actual);
        }
        string[] expected = File.ReadAllText(path).Split('\n');
        string[] lines = actual.Split('\n');
        Assert.Equal(expected.Except(lines), []);
        Assert.Equal(lines.Except(expected), []);
        Assert.Equal(expected, lines);
    }

    [Fact]
    public void No_number_of_a_message_is_used_twice_and_none_is_of_the_reserved_range()
    {
        foreach (MessageDescriptor message in Contracts.Messages())
        {
            int[] numbers = [.. message.Fields.InDeclarationOrder().Select(f => f.FieldNumber)];
            Assert.Equal(numbers.Length, numbers.Distinct().Count());
            Assert.DoesNotContain(numbers, n => n is >= 19000 and <= 19999);
        }
    }

    private static string Describe()
    {
        var text = new StringBuilder();
        foreach (FileDescriptor file in Contracts.Files)
        {
            foreach (ServiceDescriptor service in file.Services)
            {
                foreach (MethodDescriptor method in service.Methods)
                {
                    text.Append($"rpc {service.FullName}.{method.Name} {Stream(method.IsClientStreaming)}{method.InputType.FullName} -> {Stream(method.IsServerStreaming)}{method.OutputType.FullName}\n");
                }
            }
        }
        foreach (MessageDescriptor message in Contracts.Messages().OrderBy(m => m.FullName, StringComparer.Ordinal))
        {
            text.Append($"message {message.FullName}\n");
            foreach (FieldDescriptor field in message.Fields.InFieldNumberOrder())
            {
                text.Append($"  {message.FullName} {field.FieldNumber} {field.Name} {TypeOf(field)}{(field.ContainingOneof is { } one ? $" oneof {one.Name}" : "")}\n");
            }
        }
        foreach (EnumDescriptor e in Contracts.Enums().OrderBy(e => e.FullName, StringComparer.Ordinal))
        {
            foreach (EnumValueDescriptor value in e.Values)
            {
                text.Append($"enum {e.FullName} {value.Number} {value.Name}\n");
            }
        }
        return text.ToString();
    }

    private static string Stream(bool streaming) => streaming ? "stream " : "";

    private static string TypeOf(FieldDescriptor field)
    {
        if (field.IsMap)
        {
            return $"map<{TypeOf(field.MessageType.FindFieldByNumber(1))}, {TypeOf(field.MessageType.FindFieldByNumber(2))}>";
        }
        string type = field.FieldType switch
        {
            FieldType.Message => field.MessageType.FullName,
            FieldType.Enum => field.EnumType.FullName,
            _ => field.FieldType.ToString().ToLowerInvariant(),
        };
        return !field.IsRepeated ? type
            : field.FieldType is FieldType.Message or FieldType.String or FieldType.Bytes ? $"repeated {type}"
            : $"repeated {type} {(field.IsPacked ? "packed" : "unpacked")}";
    }

    // Beside this file, which the repository holds.
    private static string SourceFolder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Skep.slnx")))
            {
                return Path.Combine(folder.FullName, "tests", "Skep.Api.Tests");
            }
        }
        throw new InvalidOperationException("the repository's folder was not found above the test");
    }
}
