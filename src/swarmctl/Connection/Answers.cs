using System.Buffers.Binary;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using Grpc.Core;

namespace Swarmctl.Connection;

/// <summary>The messages of one call's answer, one by one, and the status that ends them.</summary>
internal sealed class Answers : IDisposable
{
    /// <summary>Before each message: whether it is compressed, and its length, big-endian.</summary>
    public const int PrefixBytes = 5;

    private readonly HttpResponseMessage response;
    private readonly Stream body;
    private readonly byte[] prefix = new byte[PrefixBytes];

    private Answers(HttpResponseMessage response, Stream body)
    {
        this.response = response;
        this.body = body;
    }

    /// <summary>A call that was cut short, or an answer that no gRPC server gives.</summary>
    public static RpcException Broken(string what, Exception? why) => new(new Status(StatusCode.Unavailable, what, why));

    public static async Task<Answers> OpenAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            using (response)
            {
                throw Broken($"what answers there is no manager: it says HTTP {(int)response.StatusCode}", null);
            }
        }
        return new Answers(response, await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false));
    }

    /// <summary>The next message; null behind the last one of a call that went well.</summary>
    /// <exception cref="RpcException">The call failed, or was cut short.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<byte[]?> NextAsync(CancellationToken ct)
    {
        try
        {
            int read = await body.ReadAtLeastAsync(prefix, PrefixBytes, throwOnEndOfStream: false, ct).ConfigureAwait(false);
            if (read == 0)
            {
                EnsureSuccess();
                return null;
            }
            int length = BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1));
            if (read < PrefixBytes || prefix[0] != 0 || length < 0)
            {
                throw Broken("the answer is not framed as one message after the other, uncompressed and of up to 2 GiB", null);
            }
            byte[] message = GC.AllocateUninitializedArray<byte>(length);
            await body.ReadExactlyAsync(message, ct).ConfigureAwait(false);
            return message;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Broken("the manager closed the connection before it had answered", e);
        }
    }

    public void Dispose()
    {
        body.Dispose();
        response.Dispose();
    }

    private void EnsureSuccess()
    {
        // A call that fails before its first message has its status among the headers.
        string? status = Header(response.TrailingHeaders, "grpc-status") ?? Header(response.Headers, "grpc-status");
        if (!int.TryParse(status, out int code))
        {
            throw Broken("the answer ended without a status", null);
        }
        if (code != 0)
        {
            string? message = Header(response.TrailingHeaders, "grpc-message") ?? Header(response.Headers, "grpc-message");
            throw new RpcException(new Status((StatusCode)code, Uri.UnescapeDataString(message ?? "")));
        }
    }

    private static string? Header(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values.ToString() : null;
}
