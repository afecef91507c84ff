using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>Spans and metrics carry the names of the RPC semantic conventions.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private RpcTestServer _server = null!;

    public async Task InitializeAsync() => _server = await RpcTestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_span_continues_the_clients_trace()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Vibe.Rpc.Server" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var trace = ActivityTraceId.CreateRandom();
        await _server.CallAsync<FailResponse>(
            new(Family.Grpc),
            "Fail",
            false,
            [new FailRequest { Code = (int)StatusCode.Unavailable }],
            headers => headers.Add("traceparent", $"00-{trace}-00f067aa0ba902b7-01"));
        await _server.Watch.NoneAsync();

        var span = Assert.Single(spans, span => span.Source.Name == "Vibe.Rpc.Server" && span.TraceId == trace);
        Assert.Equal("vibe.rpctest.v1.RpcTestService/Fail", span.DisplayName);
        Assert.Equal("grpc", span.GetTagItem("rpc.system.name"));
        Assert.Equal("vibe.rpctest.v1.RpcTestService/Fail", span.GetTagItem("rpc.method"));
        Assert.Equal("UNAVAILABLE", span.GetTagItem("rpc.response.status_code"));
        Assert.Equal("UNAVAILABLE", span.GetTagItem("error.type"));
        Assert.Equal(ActivityStatusCode.Error, span.Status);
    }

    [Fact]
    public async Task Metrics_say_duration_sizes_and_counts()
    {
        var seen = new ConcurrentDictionary<string, (Instrument Instrument, double Value, Dictionary<string, object?> Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Vibe.Rpc.Server" && instrument.Meter.Scope == _server.Services.GetRequiredService<IMeterFactory>())
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => seen[instrument.Name] = (instrument, value, new(tags.ToArray())));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen[instrument.Name] = (instrument, value, new(tags.ToArray())));
        listener.Start();
        var watch = Stopwatch.StartNew();
        await _server.CallAsync<ExpandResponse>(new(Family.Connect), "Expand", true, [new ExpandRequest { Count = 3, Fail = new() { Code = 10 } }]);
        await _server.Watch.NoneAsync();

        var duration = seen["rpc.server.call.duration"];
        Assert.InRange(duration.Value, 0, watch.Elapsed.TotalSeconds);
        Assert.Equal("s", duration.Instrument.Unit);
        Assert.Equal(10, ((Histogram<double>)duration.Instrument).Advice!.HistogramBucketBoundaries![^1]);
        Assert.Equal("connectrpc", duration.Tags["rpc.system.name"]);
        Assert.Equal("vibe.rpctest.v1.RpcTestService/Expand", duration.Tags["rpc.method"]);
        Assert.Equal("aborted", duration.Tags["rpc.response.status_code"]);
        Assert.DoesNotContain("error.type", duration.Tags.Keys);
        Assert.Equal(1, seen["rpc.server.requests_per_rpc"].Value);
        Assert.Equal(3, seen["rpc.server.responses_per_rpc"].Value);
        Assert.True(seen["rpc.server.request.size"].Value > 0);
        Assert.True(seen["rpc.server.response.size"].Value > 0);
    }
}
