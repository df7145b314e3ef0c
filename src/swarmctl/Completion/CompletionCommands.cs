using System.CommandLine;

namespace Swarmctl.Completion;

/// <summary>Completion scripts. Both ask swarmctl itself what can come next, so that they never grow old.</summary>
internal static class CompletionCommands
{
    private const string Bash = """
        # bash completion for swarmctl: source <(swarmctl completion bash)
        _swarmctl() {
          local line="${COMP_LINE:0:COMP_POINT}"
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(swarmctl "[suggest:${#line}]" "$line" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -F _swarmctl swarmctl
        """;

    private const string Zsh = """
        #compdef swarmctl
        # zsh completion for swarmctl: source <(swarmctl completion zsh)
        _swarmctl() {
          local line="${BUFFER[1,CURSOR]}"
          local -a found
          found=("${(@f)$(swarmctl "[suggest:${#line}]" "$line" 2>/dev/null)}")
          compadd -a found
        }
        compdef _swarmctl swarmctl
        """;

    public static Command All()
    {
        var group = new Command("completion", "Print a completion script for bash or zsh");
        group.Subcommands.Add(Script("bash", Bash));
        group.Subcommands.Add(Script("zsh", Zsh));
        return group;
    }

    private static Command Script(string shell, string text)
    {
        var command = new Command(shell, $"Completion script for {shell}: source <(swarmctl completion {shell})");
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(text));
        return command;
    }
}
