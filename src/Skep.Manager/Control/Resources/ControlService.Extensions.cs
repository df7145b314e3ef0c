using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Skep.Store;
using Extension = Docker.Swarmkit.V1.Extension;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    private const int ResourcesNamed = 10;

    // Resources of these kinds could not be told from the cluster's own objects.
    private static readonly HashSet<string> BuiltInKinds = new(StringComparer.OrdinalIgnoreCase)
    {
        "node", "task", "network", "cluster", "service", "secret", "config", "resource", "extension", "volume",
    };

    /// <inheritdoc/>
    public override async Task<CreateExtensionResponse> CreateExtension(CreateExtensionRequest request, ServerCallContext context)
    {
        if (string.IsNullOrEmpty(request.Annotations?.Name))
        {
            throw Refusal.Invalid("extension name must be provided");
        }
        var extension = new Extension { Id = Ids.New(), Annotations = request.Annotations.Clone(), Description = request.Description };
        await WriteAsync(
            tx =>
            {
                if (BuiltInKinds.Contains(extension.Annotations.Name) || tx.ByName<Extension>(extension.Annotations.Name) is not null)
                {
                    throw Refusal.Exists($"extension {extension.Annotations.Name} already exists");
                }
                tx.Create(extension);
            },
            context).ConfigureAwait(false);
        LogChange("extension", extension.Annotations.Name, extension.Id, "created");
        return new CreateExtensionResponse { Extension = extension };
    }

    /// <inheritdoc/>
    public override Task<GetExtensionResponse> GetExtension(GetExtensionRequest request, ServerCallContext context)
    {
        if (request.ExtensionId.Length == 0)
        {
            throw Refusal.Invalid("extension ID must be provided");
        }
        return Task.FromResult(new GetExtensionResponse
        {
            Extension = store.Read(view => view.Get<Extension>(request.ExtensionId)) ?? throw Refusal.NotFound($"extension {request.ExtensionId} not found"),
        });
    }

    /// <inheritdoc/>
    public override async Task<RemoveExtensionResponse> RemoveExtension(RemoveExtensionRequest request, ServerCallContext context)
    {
        if (request.ExtensionId.Length == 0)
        {
            throw Refusal.Invalid("extension ID must be provided");
        }
        await WriteAsync(
            tx =>
            {
                Extension extension = tx.Get<Extension>(request.ExtensionId) ?? throw Refusal.NotFound($"could not find extension {request.ExtensionId}");
                string name = extension.Annotations.Name;
                List<string> users =
                [
                    .. tx.List<Resource>()
                        .Where(r => r.Kind == extension.Id || string.Equals(r.Kind, name, StringComparison.OrdinalIgnoreCase))
                        .Select(r => r.Annotations?.Name ?? "")
                        .Order(StringComparer.Ordinal)
                        .Take(ResourcesNamed),
                ];
                if (users.Count > 0)
                {
                    throw Refusal.Invalid($"extension '{name}' is in use by the following {(users.Count == 1 ? "resource" : "resources")}: {string.Join(", ", users)}");
                }
                tx.Remove<Extension>(extension.Id);
            },
            context).ConfigureAwait(false);
        LogChange("extension", request.ExtensionId, request.ExtensionId, "removed");
        return new RemoveExtensionResponse();
    }
}
