using System.Buffers;
using System.Collections;
using Google.Protobuf;
using Google.Rpc;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Rest;

/// <summary>Fills a request message from the path, the query string and the body of an HTTP request.</summary>
internal sealed class RequestBinder(JsonCodec codec, FieldIndex fields)
{
    private readonly TextValueParser _values = new(codec);

    /// <summary>Fills the message.</summary>
    /// <param name="binding">What sets which field.</param>
    /// <param name="variables">The path's variables, decoded; null where that failed.</param>
    /// <param name="query">The query string as sent.</param>
    /// <param name="body">The body, JSON; empty for an empty message.</param>
    /// <param name="request">An empty message.</param>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, with a violation for every parameter that is wrong.</exception>
    public void Bind(
        HttpBinding binding, IReadOnlyList<string?> variables, ReadOnlySpan<char> query, in ReadOnlySequence<byte> body, IMessage request)
    {
        if (!body.IsEmpty)
        {
            ReadBody(binding, body, request);
        }

        if (binding.Variables.Count == 0 && query is "" or "?")
        {
            return;
        }

        var violations = new List<BadRequest.Types.FieldViolation>();
        var bound = new BoundFields();
        ReadPath(binding, variables, request, bound, violations);
        ReadQuery(binding, query, request, bound, violations);
        if (violations.Count > 0)
        {
            throw RestErrors.InvalidParameters(violations);
        }
    }

    private void ReadBody(HttpBinding binding, in ReadOnlySequence<byte> body, IMessage request)
    {
        try
        {
            switch (binding.Body)
            {
                case BodyKind.Message:
                    codec.Merge(body, request);
                    break;
                case BodyKind.Field:
                    codec.MergeField(body, request, binding.BodyField!);
                    break;
                default:
                    throw RestErrors.UnexpectedBody(binding);
            }
        }
        catch (JsonCodecException e)
        {
            throw WireErrors.MalformedJson(e);
        }
    }

    private void ReadPath(
        HttpBinding binding, IReadOnlyList<string?> variables, IMessage request, BoundFields bound, List<BadRequest.Types.FieldViolation> violations)
    {
        for (var i = 0; i < variables.Count; i++)
        {
            var path = binding.Variables[i];
            bound.Add(path);
            if (variables[i] is not { } text)
            {
                violations.Add(RpcErrors.Violation(path.Text, "is not percent-encoded UTF-8 in the path"));
            }
            else if (!_values.TryParse(path.Leaf, text, out var value, out var problem))
            {
                violations.Add(RpcErrors.Violation(path.Text, problem));
            }
            else
            {
                var parent = path.Parent(request);
                if (binding.Body == BodyKind.Message && Differs(path, parent, value))
                {
                    violations.Add(RpcErrors.Violation(path.Text, "differs between the path and the body"));
                }

                path.Leaf.Accessor.SetValue(parent, value);
            }
        }
    }

    // A body that repeats what the path says is a resource sent back as it was read; one that says otherwise is a mistake.
    private static bool Differs(FieldPath path, IMessage parent, object value)
    {
        var accessor = path.Leaf.Accessor;
        var isSet = path.Leaf.HasPresence ? accessor.HasValue(parent) : accessor.GetValue(parent) is not (null or "" or 0 or 0L or 0U or 0UL or false);
        return isSet && !Equals(accessor.GetValue(parent) is Enum number ? Convert.ToInt32(number, null) : accessor.GetValue(parent), value);
    }

    private void ReadQuery(
        HttpBinding binding, ReadOnlySpan<char> query, IMessage request, BoundFields bound, List<BadRequest.Types.FieldViolation> violations)
    {
        var parameters = new QueryString(query);
        while (parameters.MoveNext())
        {
            if (!UrlText.TryDecode(parameters.Name, UrlPart.Query, out var name))
            {
                violations.Add(RpcErrors.Violation(Shorten(parameters.Name), "is not a percent-encoded UTF-8 name"));
            }
            else if (!UrlText.TryDecode(parameters.Value, UrlPart.Query, out var text))
            {
                violations.Add(RpcErrors.Violation(Shorten(name), "is not percent-encoded UTF-8"));
            }
            else if (SetParameter(binding, name, text, request, bound) is { } problem)
            {
                violations.Add(RpcErrors.Violation(Shorten(name), problem));
            }
        }
    }

    private string? SetParameter(HttpBinding binding, string name, string text, IMessage request, BoundFields bound)
    {
        if (!fields.TryResolve(binding.Method.InputType, name, out var path, out var problem))
        {
            return problem;
        }

        if (binding.Body == BodyKind.Message || (binding.BodyField is { } bodyField && path.StartsWith(bodyField)))
        {
            return "belongs in the body, not in the query string";
        }

        if (binding.Variables.Any(path.Overlaps))
        {
            return "is set by the path already";
        }

        if (bound.Add(path) is { } conflict)
        {
            return conflict;
        }

        if (!_values.TryParse(path.Leaf, text, out var value, out problem))
        {
            return problem;
        }

        var parent = path.Parent(request);
        if (path.Leaf.IsRepeated)
        {
            ((IList)path.Leaf.Accessor.GetValue(parent)).Add(value);
        }
        else
        {
            path.Leaf.Accessor.SetValue(parent, value);
        }

        return null;
    }

    // What a client sent comes back to it in the error; a name of kilobytes does not have to.
    private static string Shorten(ReadOnlySpan<char> name) => name.Length <= 100 ? name.ToString() : $"{name[..100]}…";
}
