using Skep.Supervisor;

return SupervisorHost.Start(args);
