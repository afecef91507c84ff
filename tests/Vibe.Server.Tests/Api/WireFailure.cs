using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Rpc;
using RpcStatus = Google.Rpc.Status;

namespace Vibe.Server.Tests.Api;

/// <summary>How a call failed, read from the bytes of a protocol into one form.</summary>
internal sealed record WireFailure(StatusCode Code, RpcStatus Status)
{
    private const int HeaderBytes = 5;

    private static readonly JsonParser Details = new(new JsonParser.Settings(
        20, TypeRegistry.FromMessages(ErrorInfo.Descriptor, BadRequest.Descriptor, RetryInfo.Descriptor, RequestInfo.Descriptor)));

    public ErrorInfo Info => Assert.Single(Status.Details, static detail => detail.Is(ErrorInfo.Descriptor)).Unpack<ErrorInfo>();

    public IReadOnlyList<BadRequest.Types.FieldViolation> Violations => Status.GetDetail<BadRequest>()?.FieldViolations ?? [];

    /// <summary>All a client can know of it, for comparisons.</summary>
    public override string ToString()
    {
        var metadata = Info.Metadata.OrderBy(static pair => pair.Key, StringComparer.Ordinal).Select(static pair => $"{pair.Key}={pair.Value}");
        var violations = Violations.Select(static violation => $"{violation.Field}: {violation.Description} [{violation.Reason}]");
        return $"{Code} \"{Status.Message}\" {Info.Reason} of {Info.Domain} {{{string.Join(", ", metadata)}}} ({string.Join("; ", violations)})";
    }

    /// <summary>A message of gRPC and gRPC-Web in its envelope: a byte of flags and four of length.</summary>
    public static byte[] Frame(byte[] payload)
    {
        var frame = new byte[HeaderBytes + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)payload.Length);
        payload.CopyTo(frame, HeaderBytes);
        return frame;
    }

    /// <summary>REST: <c>{"error":{"status":…,"message":…,"details":[…]}}</c>.</summary>
    public static WireFailure OfRest(HttpStatusCode http, string body)
    {
        var error = JsonNode.Parse(body)!["error"] ?? throw new InvalidOperationException($"{http}: {body}");
        Assert.Equal((int)http, (int)error["code"]!);
        var status = new RpcStatus { Message = (string)error["message"]! };
        status.Details.AddRange(error["details"]!.AsArray().Select(static detail => Details.Parse<Any>(detail!.ToJsonString())));
        return new WireFailure(Parse((string)error["status"]!), status);
    }

    /// <summary>Connect: <c>{"code":…,"message":…,"details":[{"type":…,"value":…}]}</c>.</summary>
    public static WireFailure OfConnect(HttpStatusCode http, string body)
    {
        Assert.NotEqual(HttpStatusCode.OK, http);
        var error = JsonNode.Parse(body)!;
        var status = new RpcStatus { Message = (string)error["message"]! };
        foreach (var detail in error["details"]!.AsArray())
        {
            status.Details.Add(new Any { TypeUrl = $"type.googleapis.com/{detail!["type"]}", Value = ByteString.CopyFrom(Decode((string)detail["value"]!)) });
        }

        return new WireFailure(Parse((string)error["code"]!), status);
    }

    /// <summary>The status of gRPC and gRPC-Web, in trailers or, when there was no message, in headers.</summary>
    public static WireFailure OfTrailers(IEnumerable<KeyValuePair<string, string>> trailers)
    {
        var values = trailers.ToLookup(static pair => pair.Key, static pair => pair.Value, StringComparer.OrdinalIgnoreCase);
        var code = (StatusCode)int.Parse(Assert.Single(values["grpc-status"]), System.Globalization.CultureInfo.InvariantCulture);
        var status = RpcStatus.Parser.ParseFrom(Decode(Assert.Single(values["grpc-status-details-bin"])));
        Assert.Equal(((int)code, Uri.UnescapeDataString(Assert.Single(values["grpc-message"]))), (status.Code, status.Message));
        return new WireFailure(code, status);
    }

    /// <summary>The trailers in the last frame of a gRPC-Web body.</summary>
    public static IEnumerable<KeyValuePair<string, string>> TrailersOf(byte[] body)
    {
        Assert.Equal(0x80, body[0]);
        return Encoding.ASCII.GetString(body, HeaderBytes, body.Length - HeaderBytes)
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => line.Split(':', 2))
            .Select(static parts => KeyValuePair.Create(parts[0], parts[1].Trim()));
    }

    // NOT_FOUND in REST, not_found in Connect.
    private static StatusCode Parse(string name) => System.Enum.Parse<StatusCode>(name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    /// <summary>Base64 without padding, as headers and Connect carry it.</summary>
    public static byte[] Decode(string text) => Convert.FromBase64String(text.TrimEnd('=').PadRight((text.TrimEnd('=').Length + 3) / 4 * 4, '='));
}
