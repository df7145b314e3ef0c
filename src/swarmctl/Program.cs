using System.Text;
using Swarmctl;

// Buffered, and without the console's locks and encodings, which cost more than the command.
await using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 16 * 1024);
await using var errors = new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true };
int exitCode = await CommandTree.RunAsync(args, output, errors).ConfigureAwait(false);
return exitCode;
