using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Skep.Manager.Control.Rules;
using Skep.Manager.Control.Services;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    // A config is smaller than this (moby/swarmkit manager/controlapi/config.go since 2022).
    private const int ConfigLimitBytes = 1000 * 1024;

    /// <inheritdoc/>
    public override Task<GetConfigResponse> GetConfig(GetConfigRequest request, ServerCallContext context)
    {
        if (request.ConfigId.Length == 0)
        {
            throw Refusal.Invalid("config ID must be provided");
        }
        return Task.FromResult(new GetConfigResponse
        {
            Config = store.Read(view => view.Get<Config>(request.ConfigId)) ?? throw Refusal.NotFound($"config {request.ConfigId} not found"),
        });
    }

    /// <inheritdoc/>
    public override Task<ListConfigsResponse> ListConfigs(ListConfigsRequest request, ServerCallContext context)
    {
        ListConfigsRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListConfigsResponse
        {
            Configs =
            {
                List<Config>(c =>
                    Matching.AnyName(c.Id, c.Spec?.Annotations?.Name ?? "", f?.Names, f?.NamePrefixes, f?.IdPrefixes)
                    && Matching.HasLabels(c.Spec?.Annotations?.Labels, f?.Labels)),
            },
        });
    }

    /// <inheritdoc/>
    public override async Task<CreateConfigResponse> CreateConfig(CreateConfigRequest request, ServerCallContext context)
    {
        CheckConfigSpec(request.Spec);
        var config = new Config { Id = Ids.New(), Spec = request.Spec.Clone() };
        await WriteAsync(
            tx =>
            {
                if (tx.ByName<Config>(request.Spec.Annotations.Name) is not null)
                {
                    throw Refusal.Exists($"config {request.Spec.Annotations.Name} already exists");
                }
                tx.Create(config);
            },
            context).ConfigureAwait(false);
        LogChange("config", config.Spec.Annotations.Name, config.Id, "created");
        return new CreateConfigResponse { Config = config };
    }

    /// <inheritdoc/>
    public override async Task<UpdateConfigResponse> UpdateConfig(UpdateConfigRequest request, ServerCallContext context)
    {
        if (request.ConfigId.Length == 0 || request.ConfigVersion is null || request.Spec is null)
        {
            throw Refusal.Invalid();
        }
        Config? config = null;
        await WriteAsync(
            tx =>
            {
                Config stored = tx.Get<Config>(request.ConfigId) ?? throw Refusal.NotFound($"config {request.ConfigId} not found");
                if (request.Spec.Annotations?.Name != stored.Spec.Annotations.Name
                    || (!request.Spec.Data.IsEmpty && request.Spec.Data != stored.Spec.Data))
                {
                    throw Refusal.Invalid("only updates to Labels are allowed");
                }
                config = ToChange(stored, request.ConfigVersion);
                config.Spec.Annotations.Labels.Clear();
                config.Spec.Annotations.Labels.Add(request.Spec.Annotations.Labels);
                tx.Update(config);
            },
            context).ConfigureAwait(false);
        LogChange("config", config!.Spec.Annotations.Name, config.Id, "updated");
        return new UpdateConfigResponse { Config = config };
    }

    /// <inheritdoc/>
    public override async Task<RemoveConfigResponse> RemoveConfig(RemoveConfigRequest request, ServerCallContext context)
    {
        if (request.ConfigId.Length == 0)
        {
            throw Refusal.Invalid("config ID must be provided");
        }
        await WriteAsync(
            tx =>
            {
                Config config = tx.Get<Config>(request.ConfigId) ?? throw Refusal.NotFound($"could not find config {request.ConfigId}");
                CheckUnused("config", config.Spec.Annotations.Name, ServiceReferences.UsingConfig(tx, config.Id));
                tx.Remove<Config>(config.Id);
            },
            context).ConfigureAwait(false);
        LogChange("config", request.ConfigId, request.ConfigId, "removed");
        return new RemoveConfigResponse();
    }

    private static void CheckConfigSpec(ConfigSpec? spec)
    {
        if (spec is null)
        {
            throw Refusal.Invalid();
        }
        Names.CheckFileName(spec.Annotations);
        if (spec.Data.IsEmpty || spec.Data.Length >= ConfigLimitBytes)
        {
            throw Refusal.Invalid($"config data must be larger than 0 and less than {ConfigLimitBytes} bytes");
        }
    }
}
