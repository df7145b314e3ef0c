using Docker.Swarmkit.V1;
using Google.Protobuf.Collections;
using Skep.V1;
using Swarmctl.Output;

namespace Swarmctl.Tasks;

/// <summary>What a task runs, for lists and summaries.</summary>
internal static class RuntimeText
{
    /// <summary>The image; for a process the program, so that the column says something.</summary>
    public static string Image(TaskSpec? spec) => spec?.RuntimeCase switch
    {
        TaskSpec.RuntimeOneofCase.Container => spec.Container.Image,
        TaskSpec.RuntimeOneofCase.Generic => ProcessRuntime.TryUnpack(spec)?.Command.FirstOrDefault() ?? spec.Generic.Kind,
        _ => "",
    };

    /// <summary>Image, command, arguments and environment, as summaries show them.</summary>
    public static TabText Add(TabText text, TaskSpec? spec)
    {
        if (spec is not null && ProcessRuntime.TryUnpack(spec) is { } process)
        {
            return Add(text.LineIf("  Runtime", spec.Generic.Kind), process.Command, process.Args, process.Env);
        }
        return spec?.Container is { } container
            ? Add(text.LineIf("  Image", container.Image), container.Command, container.Args, container.Env)
            : text;
    }

    private static TabText Add(TabText text, RepeatedField<string> command, RepeatedField<string> args, RepeatedField<string> env) => text
        .LineIf("  Command", command.Count == 0 ? null : $"\"{string.Join(' ', command)}\"")
        .LineIf("  Args", args.Count == 0 ? null : $"[{string.Join(", ", args)}]")
        .LineIf("  Env", env.Count == 0 ? null : $"[{string.Join(", ", env)}]");
}
