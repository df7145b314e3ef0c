using System.Text;

namespace Swarmctl.Connection;

/// <summary>A secret typed on the terminal, which does not show it.</summary>
internal static class TerminalSecret
{
    private const int MaxCharacters = 1024;

    /// <summary>Asks on standard error, so that standard output stays the answer's; null where standard input is no terminal.</summary>
    public static string? Ask(string prompt)
    {
        if (Console.IsInputRedirected)
        {
            return null;
        }
        Console.Error.Write(prompt);
        var typed = new StringBuilder();
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    Console.Error.WriteLine();
                    return typed.ToString();
                case ConsoleKey.Backspace when typed.Length > 0:
                    typed.Length--;
                    break;
                default:
                    if (!char.IsControl(key.KeyChar) && typed.Length < MaxCharacters)
                    {
                        typed.Append(key.KeyChar);
                    }
                    break;
            }
        }
    }
}
