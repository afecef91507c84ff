using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Vibe.Documents.V1;
using Vibe.Realtime.V1;
using Vibe.Rpc.Json;

namespace Vibe.Benchmarks.Live;

/// <summary>A server of live queries, as its clients see it.</summary>
internal abstract class Contender(LivePlan plan) : IDisposable
{
    /// <summary>What the clients do.</summary>
    protected LivePlan Plan => plan;

    /// <summary>The contender of a plan.</summary>
    public static Contender Of(LivePlan plan) => plan.IsSignalR ? new SignalRContender(plan) : new VibeContender(plan);

    /// <summary>Follows what one user may see, until it is told to leave.</summary>
    public abstract Task FollowAsync(int user, Subscription subscription, CancellationToken leave);

    /// <summary>Writes a document, for one user or for everyone, and returns its id.</summary>
    public abstract Task<string> WriteAsync(string? reader);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>What one subscriber has received.</summary>
internal sealed class Subscription
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _count;

    /// <summary>Completes when it follows.</summary>
    public Task Ready => _ready.Task;

    /// <summary>How many documents have come.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Which, and when.</summary>
    public List<(string Id, long Time)> Arrivals { get; } = [];

    /// <summary>It follows.</summary>
    public void Start() => _ready.TrySetResult();

    /// <summary>It never will.</summary>
    public void Fail(Exception exception) => _ready.TrySetException(exception);

    /// <summary>A document has come.</summary>
    public void Add(string id)
    {
        Arrivals.Add((id, Stopwatch.GetTimestamp()));
        Volatile.Write(ref _count, _count + 1);
    }
}

/// <summary>Vibe: gRPC, a filter and an access token for each subscriber.</summary>
internal sealed class VibeContender : Contender
{
    private const int StreamsPerConnection = 100;

    private readonly List<GrpcChannel> _channels;
    private readonly DocumentsService.DocumentsServiceClient _documents;
    private readonly Metadata _writer;
    private readonly Google.Protobuf.ByteString _body = StructJson.ToStruct(Encoding.UTF8.GetBytes(LiveDriver.Body));

    public VibeContender(LivePlan plan)
        : base(plan)
    {
        _channels = [.. Enumerable.Range(0, 1 + (plan.Subscribers + StreamsPerConnection - 1) / StreamsPerConnection).Select(_ => GrpcChannel.ForAddress(plan.Url))];
        _documents = new(_channels[^1]);
        _writer = new() { { "authorization", $"Bearer {plan.Tokens[0]}" } };
    }

    public override async Task FollowAsync(int user, Subscription subscription, CancellationToken leave)
    {
        var request = new SubscribeRequest { Collection = "live", Scope = DocumentScope.All, Filter = """data.room = "main" """ };
        using var call = new RealtimeService.RealtimeServiceClient(_channels[(user - 1) / StreamsPerConnection]).Subscribe(
            request, new Metadata { { "authorization", $"Bearer {Plan.Tokens[user]}" } }, cancellationToken: leave);
        await foreach (var frame in call.ResponseStream.ReadAllAsync(leave))
        {
            if (frame.Ready is not null)
            {
                subscription.Start();
            }

            foreach (var change in frame.Batch?.Changes ?? [])
            {
                foreach (var document in change.Added)
                {
                    subscription.Add(document.Id);
                }
            }
        }
    }

    public override async Task<string> WriteAsync(string? reader)
    {
        var document = new Document { Collection = "live", Data = _body, Acl = new() { Read = new() { Allow = { reader ?? "*" } } } };
        return (await _documents.CreateDocumentAsync(new() { Document = document }, _writer)).Document.Id;
    }

    public override void Dispose() => _channels.ForEach(static channel => channel.Dispose());
}

/// <summary>SignalR's JSON protocol over WebSockets: messages that end with a record separator.</summary>
internal sealed class SignalRContender(LivePlan plan) : Contender(plan)
{
    private const byte Separator = 0x1e;
    private const int Invocation = 1;
    private const int Completion = 3;

    private readonly HttpClient _http = new() { BaseAddress = new Uri(plan.Url) };

    public override async Task FollowAsync(int user, Subscription subscription, CancellationToken leave)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(Plan.Url.Replace("http:", "ws:", StringComparison.Ordinal) + "/live"), leave);
        await SendAsync("""{"protocol":"json","version":1}""");
        await SendAsync($$"""{"type":1,"invocationId":"1","target":"Follow","arguments":["live","{{Plan.Dids[user]}}"]}""");
        var (buffer, filled) = (new byte[64 * 1024], 0);
        while (true)
        {
            filled += (await socket.ReceiveAsync(buffer.AsMemory(filled), leave)).Count;
            var start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf(Separator)) >= 0; start += length + 1)
            {
                Take(buffer.AsSpan(start, length));
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
        }

        async Task SendAsync(string text) =>
            await socket.SendAsync((byte[])[.. Encoding.UTF8.GetBytes(text), Separator], WebSocketMessageType.Text, endOfMessage: true, leave);

        void Take(ReadOnlySpan<byte> message)
        {
            var json = new Utf8JsonReader(message);
            string? id = null;
            var type = 0;
            while (json.Read())
            {
                if (json.CurrentDepth == 1 && json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("type"u8))
                {
                    json.Read();
                    type = json.GetInt32();
                }
                else if (json.CurrentDepth == 3 && json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("id"u8))
                {
                    json.Read();
                    id = json.GetString();
                }
            }

            if (type == Completion)
            {
                subscription.Start();
            }
            else if (type == Invocation)
            {
                subscription.Add(id!);
            }
        }
    }

    public override async Task<string> WriteAsync(string? reader)
    {
        using var body = new StringContent(LiveDriver.Body, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(reader is null ? "/documents" : $"/documents?reader={Uri.EscapeDataString(reader)}", body);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    public override void Dispose() => _http.Dispose();
}
