using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Vibe.Apps.V1;
using Vibe.Auth.V1;
using Vibe.Documents.V1;
using Vibe.Realtime.V1;

namespace Vibe.Client.Calls;

/// <summary>What the contract says of a method, as far as a client acts on it.</summary>
/// <param name="Reads">It changes nothing.</param>
/// <param name="IsRepeatable">Sending it twice does what sending it once does.</param>
/// <param name="RequestId">The field that makes it so; null when there is none.</param>
internal sealed record MethodRules(bool Reads, bool IsRepeatable, FieldDescriptor? RequestId)
{
    private static readonly MethodRules Unknown = new(false, false, null);

    private static readonly FrozenDictionary<string, MethodRules> Methods = new[]
    {
        DocumentsServiceReflection.Descriptor, RealtimeServiceReflection.Descriptor, AppsServiceReflection.Descriptor,
        AuthServiceReflection.Descriptor, AccountServiceReflection.Descriptor, CertificatesServiceReflection.Descriptor,
    }.SelectMany(static file => file.Services).SelectMany(static service => service.Methods)
        .ToFrozenDictionary(static method => $"/{method.Service.FullName}/{method.Name}", Of, StringComparer.Ordinal);

    /// <summary>The rules of a method, by its full name.</summary>
    public static MethodRules Of(string fullName) => Methods.GetValueOrDefault(fullName, Unknown);

    /// <summary>The request with an id, so that it is safe to repeat; the caller's own message stays as it is.</summary>
    public T WithRequestId<T>(T request)
        where T : class
    {
        if (RequestId is null || request is not (IMessage message and IDeepCloneable<T> cloneable) || RequestId.Accessor.GetValue(message) is not "")
        {
            return request;
        }

        var copy = cloneable.Clone();
        RequestId.Accessor.SetValue((IMessage)copy, Guid.CreateVersion7().ToString());
        return copy;
    }

    private static MethodRules Of(MethodDescriptor method)
    {
        var level = method.GetOptions()?.IdempotencyLevel ?? MethodOptions.Types.IdempotencyLevel.IdempotencyUnknown;
        var requestId = method.InputType.FindFieldByName("request_id");
        return new(
            level == MethodOptions.Types.IdempotencyLevel.NoSideEffects,
            level != MethodOptions.Types.IdempotencyLevel.IdempotencyUnknown || requestId is not null,
            requestId);
    }
}
