// A cluster of three nodes on this machine, made of the published programs (./run --build; another folder: SKEP_BIN).
//   scale [tasks] [runs]      1 -> 1,000 process tasks RUNNING
//   docker [replicas] [runs]  1 -> 100 containers RUNNING on a private engine, beside `docker service scale` on the same one
//   cli [runs] [idle s]       `swarmctl node ls`, a whole process each, and what an idle manager costs
// usage: Skep.Bench.Cluster [scale | docker | cli | all] [numbers]
using System.Globalization;
using Skep.Bench.Cluster;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string what = args.Length > 0 ? args[0] : "all";
int Number(int place, int otherwise) => args.Length > place ? int.Parse(args[place]) : otherwise;
Console.WriteLine($"{Environment.ProcessorCount} cores, load {Machine.Load} when it began");
switch (what)
{
    case "scale":
        await ScaleBench.RunAsync(Number(1, 1_000), Number(2, 3));
        return 0;
    case "docker":
        return await DockerBench.RunAsync(Number(1, 100), Number(2, 3));
    case "cli":
        await CliBench.RunAsync(Number(1, 50), Number(2, 30));
        return 0;
    case "all":
        await CliBench.RunAsync(50, 30);
        await ScaleBench.RunAsync(1_000, 3);
        return await DockerBench.RunAsync(100, 3);
    default:
        Console.Error.WriteLine($"Error: there is no \"{what}\" here: scale, docker, cli or all");
        return 255;
}
