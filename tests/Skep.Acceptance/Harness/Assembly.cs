// Mostly they wait.
[assembly: Xunit.v3.Parallelization(MaxThreads = 3)]
