using System.Text;
using Docker.Swarmkit.V1;
using Skep.Agent.Executors;
using Skep.Agent.Templates;

namespace Skep.Agent.Tasks;

/// <summary>The secrets and configs of one task, templates expanded.</summary>
internal sealed class TaskDependencies(AssignedObjects objects, SwarmTask task, Func<NodeDescription?> node) : ITaskDependencies
{
    private const string GoTemplates = "golang";

    private readonly IReadOnlyList<SecretReference> _secrets = TaskParts.Secrets(task);
    private readonly IReadOnlyList<ConfigReference> _configs = TaskParts.Configs(task);

    public ReadOnlyMemory<byte> GetSecret(SecretReference reference)
    {
        var secret = Secret(reference.SecretId, reference.SecretName);
        return Expanded(secret.Spec.Data.Memory, secret.Spec.Templating, $"secret {reference.SecretName}");
    }

    public ReadOnlyMemory<byte> GetConfig(ConfigReference reference)
    {
        var config = Config(reference.ConfigId, reference.ConfigName);
        return Expanded(config.Spec.Data.Memory, config.Spec.Templating, $"config {reference.ConfigName}");
    }

    private Secret Secret(string id, string name) =>
        (_secrets.Any(s => s.SecretId == id) ? objects.Secret(task.Id, id) : null)
        ?? throw Missing($"secret {name} ({id})", _secrets.Any(s => s.SecretId == id));

    private Config Config(string id, string name) =>
        (_configs.Any(c => c.ConfigId == id) ? objects.Config(id) : null)
        ?? throw Missing($"config {name} ({id})", _configs.Any(c => c.ConfigId == id));

    // A task of an earlier life may go on before a manager was heard, and secrets are kept in memory only.
    private Exception Missing(string what, bool isTheTasksOwn) => isTheTasksOwn && !objects.AreComplete
        ? new TaskTemporaryException($"{what} has not come from a manager yet")
        : new TaskRejectedException($"{what} was not given to this node");

    private ReadOnlyMemory<byte> Expanded(ReadOnlyMemory<byte> data, Driver? templating, string what)
    {
        if (templating is null || templating.Name.Length == 0)
        {
            return data;
        }

        if (templating.Name != GoTemplates)
        {
            throw new TaskRejectedException($"{what}: template driver \"{templating.Name}\" is not known, expected \"{GoTemplates}\"");
        }

        try
        {
            var context = new TemplateContext(task, node(), new Dictionary<string, Func<IReadOnlyList<string>, string>>
            {
                ["secret"] = One("secret", target => SecretAt(target)),
                ["config"] = One("config", target => ConfigAt(target)),
                ["env"] = One("env", name => TaskParts.Environment(task)
                    .Select(e => e.Split('=', 2)).FirstOrDefault(e => e.Length == 2 && e[0] == name)?[1] ?? ""),
            });
            return Encoding.UTF8.GetBytes(Template.Expand(Encoding.UTF8.GetString(data.Span), context));
        }
        catch (TemplateException e)
        {
            throw new TaskRejectedException($"{what}: {e.Message}", e);
        }
    }

    private string SecretAt(string target)
    {
        var reference = _secrets.FirstOrDefault(s => s.File?.Name == target)
            ?? throw new TemplateException($"secret target {target} not found");
        return Encoding.UTF8.GetString(Secret(reference.SecretId, reference.SecretName).Spec.Data.Span);
    }

    private string ConfigAt(string target)
    {
        var reference = _configs.FirstOrDefault(c => c.File?.Name == target)
            ?? throw new TemplateException($"config target {target} not found");
        return Encoding.UTF8.GetString(Config(reference.ConfigId, reference.ConfigName).Spec.Data.Span);
    }

    private static Func<IReadOnlyList<string>, string> One(string function, Func<string, string> of) => arguments =>
        arguments.Count == 1 ? of(arguments[0]) : throw new TemplateException($"{function} wants 1 argument, got {arguments.Count}");
}
