using System.Security.Cryptography;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;
using Skep.Api;
using Skep.Manager.Control.Rules;
using Skep.Manager.Control.Services;

namespace Skep.Manager.Control;

public sealed partial class ControlService
{
    // A secret is smaller than this (moby/swarmkit api/validation).
    private const int SecretLimitBytes = 500 * 1024;

    /// <inheritdoc/>
    public override Task<GetSecretResponse> GetSecret(GetSecretRequest request, ServerCallContext context)
    {
        if (request.SecretId.Length == 0)
        {
            throw Refusal.Invalid("secret ID must be provided");
        }
        Secret secret = store.Read(view => view.Get<Secret>(request.SecretId)) ?? throw Refusal.NotFound($"secret {request.SecretId} not found");
        return Task.FromResult(new GetSecretResponse { Secret = WithoutData(secret) });
    }

    /// <inheritdoc/>
    public override Task<ListSecretsResponse> ListSecrets(ListSecretsRequest request, ServerCallContext context)
    {
        ListSecretsRequest.Types.Filters? f = request.Filters;
        return Task.FromResult(new ListSecretsResponse
        {
            Secrets =
            {
                List<Secret>(s =>
                    !s.Internal
                    && Matching.AnyName(s.Id, s.Spec?.Annotations?.Name ?? "", f?.Names, f?.NamePrefixes, f?.IdPrefixes)
                    && Matching.HasLabels(s.Spec?.Annotations?.Labels, f?.Labels))
                    .Select(WithoutData),
            },
        });
    }

    /// <inheritdoc/>
    public override async Task<CreateSecretResponse> CreateSecret(CreateSecretRequest request, ServerCallContext context)
    {
        CheckSecretSpec(request.Spec);
        var secret = new Secret { Id = Ids.New(), Spec = request.Spec.Clone() };
        await WriteAsync(
            tx =>
            {
                if (tx.ByName<Secret>(request.Spec.Annotations.Name) is not null)
                {
                    throw Refusal.Exists($"secret {request.Spec.Annotations.Name} already exists");
                }
                tx.Create(secret);
            },
            context).ConfigureAwait(false);
        LogChange("secret", secret.Spec.Annotations.Name, secret.Id, "created");
        return new CreateSecretResponse { Secret = WithoutData(secret) };
    }

    /// <inheritdoc/>
    public override async Task<UpdateSecretResponse> UpdateSecret(UpdateSecretRequest request, ServerCallContext context)
    {
        if (request.SecretId.Length == 0 || request.SecretVersion is null || request.Spec is null)
        {
            throw Refusal.Invalid();
        }
        Secret? secret = null;
        await WriteAsync(
            tx =>
            {
                Secret stored = tx.Get<Secret>(request.SecretId) ?? throw Refusal.NotFound($"secret {request.SecretId} not found");
                if (request.Spec.Annotations?.Name != stored.Spec.Annotations.Name
                    || (!request.Spec.Data.IsEmpty && !CryptographicOperations.FixedTimeEquals(request.Spec.Data.Span, stored.Spec.Data.Span)))
                {
                    throw Refusal.Invalid("only updates to Labels are allowed");
                }
                secret = ToChange(stored, request.SecretVersion);
                secret.Spec.Annotations.Labels.Clear();
                secret.Spec.Annotations.Labels.Add(request.Spec.Annotations.Labels);
                tx.Update(secret);
            },
            context).ConfigureAwait(false);
        LogChange("secret", secret!.Spec.Annotations.Name, secret.Id, "updated");
        return new UpdateSecretResponse { Secret = WithoutData(secret) };
    }

    /// <inheritdoc/>
    public override async Task<RemoveSecretResponse> RemoveSecret(RemoveSecretRequest request, ServerCallContext context)
    {
        if (request.SecretId.Length == 0)
        {
            throw Refusal.Invalid("secret ID must be provided");
        }
        await WriteAsync(
            tx =>
            {
                Secret secret = tx.Get<Secret>(request.SecretId) ?? throw Refusal.NotFound($"could not find secret {request.SecretId}");
                CheckUnused("secret", secret.Spec.Annotations.Name, ServiceReferences.UsingSecret(tx, secret.Id));
                tx.Remove<Secret>(secret.Id);
            },
            context).ConfigureAwait(false);
        LogChange("secret", request.SecretId, request.SecretId, "removed");
        return new RemoveSecretResponse();
    }

    private static void CheckSecretSpec(SecretSpec? spec)
    {
        if (spec is null)
        {
            throw Refusal.Invalid();
        }
        Names.CheckFileName(spec.Annotations);
        if (spec.Driver is { } driver)
        {
            if (driver.Name.Length == 0)
            {
                throw Refusal.Invalid("secret driver must have a name");
            }
            throw Refusal.Unimplemented($"secret driver {driver.Name} cannot be used: managers have no secret plugins; give the secret's data");
        }
        if (spec.Data.IsEmpty || spec.Data.Length >= SecretLimitBytes)
        {
            throw Refusal.Invalid($"secret data must be larger than 0 and less than {SecretLimitBytes} bytes");
        }
    }

    private static void CheckUnused(string kind, string name, List<string> services)
    {
        if (services.Count > 0)
        {
            throw Refusal.Invalid($"{kind} '{name}' is in use by the following {(services.Count == 1 ? "service" : "services")}: {string.Join(", ", services)}");
        }
    }

    // Nobody but the nodes of the tasks that use it ever gets a secret's data.
    private static Secret WithoutData(Secret secret)
    {
        Secret shown = secret.Clone();
        if (shown.Spec is { } spec)
        {
            spec.Data = ByteString.Empty;
        }
        return shown;
    }
}
