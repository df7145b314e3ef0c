using Skep.Bench.Cluster;

namespace Skep.Bench.Coordination;

/// <summary>The client in client/, compiled into a folder that is gone with it.</summary>
internal sealed class LoadProgram : IDisposable
{
    private const string Compiler = "/usr/bin/gcc";
    private const string Header = "/usr/include/zookeeper/zookeeper.h";

    private readonly string _folder = Directory.CreateTempSubdirectory("skep-bench-load-").FullName;

    private LoadProgram()
    {
    }

    private string Path => System.IO.Path.Combine(_folder, "load");

    /// <exception cref="InvalidOperationException">The compiler or the library is missing, or the source is refused.</exception>
    public static async Task<LoadProgram> CompileAsync()
    {
        if (!File.Exists(Compiler) || !File.Exists(Header))
        {
            throw new InvalidOperationException("the load client cannot be compiled here: apt-get install gcc libc6-dev libzookeeper-mt-dev");
        }
        var program = new LoadProgram();
        try
        {
            string[] sources = Directory.GetFiles(System.IO.Path.Combine(AppContext.BaseDirectory, "client"), "*.c");
            await Machine.RunAsync(Compiler, ["-std=gnu11", "-O2", "-Wall", "-DTHREADED", "-o", program.Path, .. sources, "-lzookeeper_mt", "-lpthread"]);
            return program;
        }
        catch
        {
            program.Dispose();
            throw;
        }
    }

    public LoadClient Start(params string[] arguments) => new(Path, arguments);

    /// <summary>Starts one that ends by itself, and returns when it has.</summary>
    public async Task RunAsync(CancellationToken ct, params string[] arguments)
    {
        await using LoadClient client = Start(arguments);
        await client.AnswerAsync<LoadResult>(ct);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
