using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Rest;

/// <summary>What the body of an HTTP request sets.</summary>
internal enum BodyKind
{
    /// <summary>There is no body; fields that the path does not set come from the query string.</summary>
    None,

    /// <summary>Every field that the path does not set: <c>body: "*"</c>.</summary>
    Message,

    /// <summary>One field; the others come from the query string.</summary>
    Field,
}

/// <summary>One HTTP request that a method is bound to: a <c>google.api.HttpRule</c>, checked against its messages.</summary>
internal sealed class HttpBinding
{
    /// <summary>The method that is called.</summary>
    public required MethodDescriptor Method { get; init; }

    /// <summary>Its place among the bindings of the method, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The HTTP method, in upper case.</summary>
    public required string HttpMethod { get; init; }

    /// <summary>The path.</summary>
    public required PathTemplate Template { get; init; }

    /// <summary>The fields that the path sets, in the order of the template's variables.</summary>
    public required IReadOnlyList<FieldPath> Variables { get; init; }

    /// <summary>What the body sets.</summary>
    public required BodyKind Body { get; init; }

    /// <summary>The field that the body sets, for <see cref="BodyKind.Field"/>.</summary>
    public FieldDescriptor? BodyField { get; init; }

    /// <summary>The field of the response that becomes the body; null for the whole response.</summary>
    public FieldDescriptor? ResponseField { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{HttpMethod} {Template.Text}";
}
