using System.Globalization;
using System.Net;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vibe.RpcTest.V1;

namespace Vibe.Benchmarks.Rpc;

/// <summary>
/// The same echo as two minimal-API endpoints on plain Kestrel: <c>/proto</c> parses and writes the same messages without
/// any framing, <c>/json</c> the same JSON through System.Text.Json's generated code.
/// </summary>
internal static partial class MinimalServer
{
    /// <summary>Serves HTTP/2 on the port and HTTP/1.1 on the next, until the process is told to end.</summary>
    public static async Task RunAsync(string port)
    {
        var first = int.Parse(port, CultureInfo.InvariantCulture);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, first, static listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, first + 1, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.ConfigureHttpJsonOptions(static options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, EchoJson.Default));
        await using var app = builder.Build();
        app.MapPost("/proto", EchoProtoAsync);
        app.MapPost("/json", static (EchoBody request) => new EchoBody(request.Message, request.Name, request.Words));
        await app.StartAsync();
        Console.WriteLine("ready");
        await app.WaitForShutdownAsync();
    }

    private static async Task EchoProtoAsync(HttpContext context)
    {
        var body = context.Request.BodyReader;
        System.IO.Pipelines.ReadResult read;
        while (!(read = await body.ReadAsync(context.RequestAborted)).IsCompleted)
        {
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }

        var request = EchoRequest.Parser.ParseFrom(read.Buffer);
        body.AdvanceTo(read.Buffer.End);
        var response = new EchoResponse { Message = request.Message, Name = request.Name, Words = { request.Words } };
        context.Response.ContentType = "application/protobuf";
        var size = response.CalculateSize();
        context.Response.ContentLength = size;
        response.WriteTo(context.Response.BodyWriter.GetSpan(size)[..size]);
        context.Response.BodyWriter.Advance(size);
    }

    internal sealed record EchoBody(EchoMessage? Message, string? Name, string[]? Words);

    internal sealed record EchoMessage(
        string? Text, int Int32Value, [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)] long Int64Value,
        double DoubleValue, bool BoolValue, string[]? Tags, Dictionary<string, string>? Labels);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonSerializable(typeof(EchoBody))]
    private sealed partial class EchoJson : JsonSerializerContext;
}
