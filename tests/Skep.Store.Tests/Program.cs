using Skep.Store.Tests.Durability;
using Xunit.Runner.InProc.SystemConsole;

return args is [CommittingChild.Argument, var folder]
    ? await CommittingChild.RunAsync(folder)
    : await ConsoleRunner.Run(args);
