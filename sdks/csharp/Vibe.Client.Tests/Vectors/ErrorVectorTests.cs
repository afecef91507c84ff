using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Client.Calls;
using Vibe.Client.Tests.Support;
using Status = Google.Rpc.Status;

namespace Vibe.Client.Tests.Vectors;

public sealed class ErrorVectorTests
{
    private const string Details = "grpc-status-details-bin";
    private static readonly TypeRegistry Types = TypeRegistry.FromMessages(
        ErrorInfo.Descriptor, BadRequest.Descriptor, RetryInfo.Descriptor, QuotaFailure.Descriptor, StringValue.Descriptor);

    public static TheoryData<string, string> Cases() => Repository.Cases("errors");

    public static TheoryData<string> Files() => [.. Repository.Vectors("errors")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_failure_means_what_the_vector_says(string file, string name)
    {
        var vector = Repository.Case("errors", file, name);
        var trailers = new Metadata();
        if ((string?)vector["trailers"]![Details] is { } details)
        {
            trailers.Add(Details, Convert.FromBase64String(details));
        }

        var failure = VibeException.From(new RpcException(new((StatusCode)(int)vector["status"]!, (string)vector["message"]!), trailers));

        var expected = vector["expected"]!;
        Assert.Equal((string?)expected["code"], ReasonNames.Of(failure.StatusCode));
        Assert.Equal((string?)expected["reason"], failure.Reason);
        Assert.Equal((string?)vector["message"], failure.Message);
        Assert.Equal(
            expected["metadata"]!.AsObject().ToDictionary(static fact => fact.Key, static fact => (string?)fact.Value), failure.Metadata.ToDictionary(static fact => fact.Key, static fact => (string?)fact.Value));
        Assert.Equal(
            expected["fields"]!.AsArray().Select(static field => new FieldViolation((string)field!["field"]!, (string)field["description"]!)), failure.Fields);
        Assert.Equal((double?)expected["retryAfterMs"], failure.RetryAfter?.TotalMilliseconds);
        var again = failure.WantsOtherToken ? "otherToken" : failure.EndsSession ? "signIn" : failure.IsTransient ? "later" : "no";
        Assert.Equal((string?)expected["again"], again);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_trailers_hold_what_is_written_for_people(string file)
    {
        var path = Repository.VectorPath("errors", file);
        var vectors = Repository.Vector("errors", file);
        foreach (var vector in vectors["cases"]!.AsArray())
        {
            if (vector!["details"] is not { } details)
            {
                Assert.Empty(vector["trailers"]!.AsObject());
                continue;
            }

            var status = new JsonParser(JsonParser.Settings.Default.WithTypeRegistry(Types)).Parse<Status>(
                new JsonObject { ["code"] = (int)vector["status"]!, ["message"] = (string)vector["message"]!, ["details"] = details.DeepClone() }.ToJsonString());
            if (Environment.GetEnvironmentVariable("VIBE_UPDATE_VECTORS") == "1")
            {
                vector["trailers"]![Details] = Convert.ToBase64String(status.ToByteArray());
                continue;
            }

            Assert.Equal(status, Status.Parser.ParseFrom(Convert.FromBase64String((string)vector["trailers"]![Details]!)));
        }

        if (Environment.GetEnvironmentVariable("VIBE_UPDATE_VECTORS") == "1")
        {
            File.WriteAllText(path, vectors.ToJsonString(
                new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
        }
    }

    [Fact]
    public void Details_that_cannot_be_read_hide_nothing()
    {
        var failure = VibeException.From(new RpcException(
            new(StatusCode.NotFound, "no such document"), new Metadata { { Details, [0xff, 0xff, 0xff] } }));
        Assert.Equal((StatusCode.NotFound, "NOT_FOUND", "no such document"), (failure.StatusCode, failure.Reason, failure.Message));
    }
}
