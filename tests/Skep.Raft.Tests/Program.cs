using Skep.Raft.Tests.Host;
using Xunit.Runner.InProc.SystemConsole;

return args is [AppendingChild.Argument, var folder]
    ? await AppendingChild.RunAsync(folder)
    : await ConsoleRunner.Run(args);
