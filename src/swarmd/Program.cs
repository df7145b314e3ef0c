using Swarmd;

return await DaemonCommand.RunAsync(args).ConfigureAwait(false);
