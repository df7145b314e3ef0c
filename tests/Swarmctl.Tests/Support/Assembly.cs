// Commands share their flags, which the parser links to whoever uses them: one command line at a time, as in a process.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly)]
