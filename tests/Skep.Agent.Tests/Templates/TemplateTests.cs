using Docker.Swarmkit.V1;
using Skep.Agent.Executors;
using Skep.Agent.Templates;

namespace Skep.Agent.Tests.Templates;

public sealed class TemplateTests
{
    private static readonly SwarmTask Task = new()
    {
        Id = "t1",
        ServiceId = "s1",
        NodeId = "n1",
        Slot = 3,
        ServiceAnnotations = new Annotations { Name = "web", Labels = { ["tier"] = "front", ["a.b"] = "dotted" } },
    };

    private static readonly NodeDescription Node = new() { Hostname = "box", Platform = new Platform { Architecture = "x86_64", Os = "linux" } };

    private static string Expand(string text) => Template.Expand(text, new TemplateContext(Task, Node));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{{.Service.Name}}-{{.Task.Slot}}@{{.Node.Hostname}}", "web-3@box")]
    [InlineData("{{.Task.Name}} {{.Task.ID}} {{.Service.ID}} {{.Node.ID}}", "web.3.t1 t1 s1 n1")]
    [InlineData("{{ .Node.Platform.OS }}/{{ .Node.Platform.Architecture }}", "linux/x86_64")]
    [InlineData("{{.Service.Labels.tier}} {{index .Service.Labels \"a.b\"}} [{{index .Service.Labels \"none\"}}]", "front dotted []")]
    [InlineData("{{join \"-\" .Service.Name \"x\" .Task.Slot}}", "web-x-3")]
    [InlineData("{{.Service.Name | join \"+\" \"a\"}}", "a+web")]
    [InlineData("{{if eq .Service.Name \"web\"}}yes{{else}}no{{end}}", "yes")]
    [InlineData("{{if eq .Service.Name \"db\"}}db{{else if (and (ne .Task.Slot \"1\") true)}}other{{else}}first{{end}}!", "other!")]
    [InlineData("{{if not (index .Service.Labels \"x\")}}{{if true}}in{{end}}{{end}}", "in")]
    [InlineData("a  {{- /* said to nobody */ -}}  b", "ab")]
    [InlineData("a {{- \" }} \" -}} b", "a }} b")]
    [InlineData("{{`raw \\n`}}{{\"\\t\"}}", "raw \\n\t")]
    public void A_template_expands(string text, string expected) => Assert.Equal(expected, Expand(text));

    [Theory]
    [InlineData("{{.Node.Secret}}", "there is no .Node.Secret")]
    [InlineData("{{shout .Service.Name}}", "function \"shout\" not defined")]
    [InlineData("{{if true}}x", "{{if}} without {{end}}")]
    [InlineData("{{end}}", "unexpected {{end}}")]
    [InlineData("{{.Service.Name", "{{ without }}")]
    [InlineData("{{range .Service.Labels}}{{end}}", "function \"range\" not defined")]
    [InlineData("{{index .Service.Name}}x{{index .Service.Name \"a\"}}", "index wants a map and a text")]
    [InlineData("{{\"open}}", "{{ without }}")]
    [InlineData("{{.Service.Name .Task.ID}}", "unexpected")]
    public void What_cannot_be_expanded_is_named(string text, string error) =>
        Assert.Contains(error, Assert.Throws<TemplateException>(() => Expand(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Any_text_either_expands_or_is_refused() => CsCheck.Check.Sample(
        CsCheck.Gen.String[CsCheck.Gen.Char["{}.- \"`|()aN/*\\if"], 0, 40],
        text =>
        {
            try
            {
                Expand(text);
            }
            catch (TemplateException)
            {
                // Refused.
            }
        });

    [Fact]
    public void Environment_hostname_and_mounts_of_a_task_are_expanded()
    {
        var task = Task.Clone();
        task.Spec = new TaskSpec { Container = new ContainerSpec { Hostname = "{{.Service.Name}}{{.Task.Slot}}", Env = { "A={{.Node.Hostname}}", "{{B}}" } } };
        task.Spec.Container.Mounts.Add(new Mount { Source = "/data/{{.Task.Slot}}", Target = "/{{.Service.Name}}" });
        var expanded = TaskTemplates.Expand(task, Node).Spec.Container;
        Assert.Equal("web3", expanded.Hostname);
        Assert.Equal(["A=box", "{{B}}"], expanded.Env);
        Assert.Equal(("/data/3", "/web"), (expanded.Mounts[0].Source, expanded.Mounts[0].Target));
        Assert.Equal("/data/{{.Task.Slot}}", task.Spec.Container.Mounts[0].Source);
    }

    [Fact]
    public void A_wrong_template_rejects_the_task_and_names_the_field()
    {
        var task = Task.Clone();
        task.Spec = new TaskSpec { Container = new ContainerSpec { Env = { "A={{.Nothing}}" } } };
        var rejected = Assert.Throws<TaskRejectedException>(() => TaskTemplates.Expand(task, Node));
        Assert.Equal("expanding env A failed: there is no .Nothing", rejected.Message);
    }
}
