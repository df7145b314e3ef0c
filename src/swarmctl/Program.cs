using System.Text;
using Swarmctl;
using Swarmctl.Connection;

// Buffered, and without the console's locks and encodings, which cost more than the command.
var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 4 * 1024);
var errors = new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true };
try
{
    int exitCode = await CommandTree.RunAsync(args, new Surroundings { Output = output, Error = errors }).ConfigureAwait(false);
    await output.FlushAsync().ConfigureAwait(false);
    return exitCode;
}
catch (IOException)
{
    // Nobody reads any more, as behind `| head`: what a shell calls a broken pipe.
    return 141;
}
