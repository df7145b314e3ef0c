using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using Google.Protobuf;
using Grpc.Core;

namespace Swarmctl.Connection;

/// <summary>
/// Calls straight on the runtime's HTTP/2 client, in the framing of
/// <see href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md">gRPC over HTTP/2</see>. A command is one call and its
/// end: a channel's resolver, balancer and subchannels would cost it more than the call (docs/dependencies.md has the figures).
/// </summary>
/// <param name="http">Is not disposed.</param>
/// <param name="stale">Told why an answer may be out of date, where a manager says so.</param>
internal sealed class HttpInvoker(HttpMessageInvoker http, Action<string>? stale = null) : CallInvoker
{
    // A manager that answers without having asked a leader says so, and why.
    private const string StaleHeader = "skep-may-be-stale";

    private static readonly MediaTypeHeaderValue ContentType = new("application/grpc");

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => new(
        OneAsync(CallAsync(method.FullName, (IMessage)request, options.CancellationToken), method.ResponseMarshaller, options.CancellationToken),
        Task.FromResult(Metadata.Empty),
        static () => Status.DefaultSuccess,
        static () => Metadata.Empty,
        static () => { });

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var answers = new AnswerStream<TResponse>(CallAsync(method.FullName, (IMessage)request, options.CancellationToken), method.ResponseMarshaller, options.CancellationToken);
        return new(answers, Task.FromResult(Metadata.Empty), static () => Status.DefaultSuccess, static () => Metadata.Empty, answers.Dispose);
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        throw new NotSupportedException("commands do not block: call the asynchronous method");

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException("no command streams to the manager");

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException("no command streams to the manager");

    private static async Task<TResponse> OneAsync<TResponse>(Task<Answers> call, Marshaller<TResponse> marshaller, CancellationToken ct)
    {
        using Answers answers = await call.ConfigureAwait(false);
        byte[] message = await answers.NextAsync(ct).ConfigureAwait(false) ?? throw Answers.Broken("the call ended well, yet without an answer", null);

        // The status comes after the message: an answer counts only with it.
        return await answers.NextAsync(ct).ConfigureAwait(false) is null
            ? marshaller.ContextualDeserializer(new Payload(message))
            : throw Answers.Broken("more than one answer came", null);
    }

    private async Task<Answers> CallAsync(string method, IMessage message, CancellationToken ct)
    {
        byte[] frame = new byte[Answers.PrefixBytes + message.CalculateSize()];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - Answers.PrefixBytes);
        message.WriteTo(frame.AsSpan(Answers.PrefixBytes));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("http://localhost" + method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame) { Headers = { ContentType = ContentType } },
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        try
        {
            HttpResponseMessage response = await http.SendAsync(request, ct).ConfigureAwait(false);
            if (stale is not null && response.Headers.NonValidated.TryGetValues(StaleHeader, out HeaderStringValues why))
            {
                stale(why.ToString());
            }
            return await Answers.OpenAsync(response, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Answers.Broken(e.Message, e);
        }
    }

    private sealed class AnswerStream<T>(Task<Answers> call, Marshaller<T> marshaller, CancellationToken callCancelled) : IAsyncStreamReader<T>, IDisposable
    {
        private Answers? answers;
        private T? current;

        public T Current => current ?? throw new InvalidOperationException("there is no answer before the first MoveNext, nor after the last");

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(callCancelled, cancellationToken);
            answers ??= await call.ConfigureAwait(false);
            byte[]? message = await answers.NextAsync(either.Token).ConfigureAwait(false);
            current = message is null ? default : marshaller.ContextualDeserializer(new Payload(message));
            return message is not null;
        }

        public void Dispose() => answers?.Dispose();
    }

    private sealed class Payload(byte[] message) : DeserializationContext
    {
        public override int PayloadLength => message.Length;

        public override byte[] PayloadAsNewBuffer() => message;

        public override System.Buffers.ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(message);
    }
}
