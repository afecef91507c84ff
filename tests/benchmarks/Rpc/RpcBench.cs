using System.Text;
using Google.Protobuf;
using Grpc.Net.Client;
using Vibe.Benchmarks.Measuring;
using Vibe.RpcTest.V1;

namespace Vibe.Benchmarks.Rpc;

/// <summary>
/// One unary call that echoes a message, on Vibe.Rpc, on a minimal-API endpoint and on gRPC for C++: calls a second, and
/// processor time of the server for each call. h2load makes the load on the same machine; nothing is pinned.
/// </summary>
internal sealed class RpcBench(BenchOptions options, Report report)
{
    private const string Method = "/vibe.rpctest.v1.RpcTestService/Echo";
    private const double MinimalTarget = 1.1;
    private static readonly string[] GrpcHeaders = ["content-type: application/grpc", "te: trailers"];

    /// <summary>Runs all pairs; adds two rows for each.</summary>
    public async Task RunAsync()
    {
        var folder = BenchOptions.NewFolder();
        var (vibePort, minimalPort, cppPort) = (ServerProcess.FreePort(), ServerProcess.FreePort(), ServerProcess.FreePort());
        await using var vibe = await ServerProcess.StartSelfAsync("serve-rpc", $"{vibePort}");
        await using var minimal = await ServerProcess.StartSelfAsync("serve-minimal", $"{minimalPort}");
        await using var cpp = await StartCppAsync(cppPort);
        await CheckAsync(vibePort);
        await CheckAsync(cppPort);

        foreach (var (size, connections, streams) in new[] { (300, 8, 8), (300, 4, 1), (10_000, 8, 8) })
        {
            var message = Message(size);
            var grpcBody = await FileAsync("grpc", H2Load.GrpcFrame(message.ToByteArray()));
            var protoBody = await FileAsync("proto", message.ToByteArray());
            var jsonBody = await FileAsync("json", Json(message));
            var what = $"{Size(size)}, {connections} × {streams}";
            await CompareAsync(
                $"gRPC {what}", connections, streams,
                new("Vibe", vibe, new H2Load(Url(vibePort, Method), grpcBody, GrpcHeaders)),
                new("minimal API", minimal, new H2Load(Url(minimalPort, "/proto"), protoBody, "content-type: application/protobuf")) { CpuAtMost = MinimalTarget },
                new("C++ gRPC", cpp, new H2Load(Url(cppPort, Method), grpcBody, GrpcHeaders)) { CpuAtMost = 1 });
            await CompareAsync(
                $"Connect JSON {what}", connections, streams,
                new("Vibe", vibe, new H2Load(Url(vibePort, Method), jsonBody, "content-type: application/json")),
                new("minimal API", minimal, new H2Load(Url(minimalPort, "/json"), jsonBody, "content-type: application/json")) { CpuAtMost = MinimalTarget });
        }

        var small = await FileAsync("small", Json(Message(300)));
        await CompareAsync(
            "Connect JSON, HTTP/1.1, 300 B, 8 × 1", 8, 1,
            new("Vibe", vibe, new H2Load(Url(vibePort, Method), small, "content-type: application/json") { IsHttp1 = true }),
            new("minimal API", minimal, new H2Load(Url(minimalPort + 1, "/json"), small, "content-type: application/json") { IsHttp1 = true }) { CpuAtMost = MinimalTarget });
        report.Add(new("memory of the RPC server after the run", "MiB", vibe.Memory / 1048576.0) { Comparisons = [new("minimal API", minimal.Memory / 1048576.0), new("C++ gRPC", cpp.Memory / 1048576.0)] });
        Directory.Delete(folder, recursive: true);

        async Task<string> FileAsync(string name, byte[] content)
        {
            var file = Path.Combine(folder, name);
            await File.WriteAllBytesAsync(file, content);
            return file;
        }
    }

    private async Task CompareAsync(string name, int connections, int streams, params Contender[] contenders)
    {
        var results = contenders.ToDictionary(static contender => contender, static _ => new List<(double PerSecond, double Cpu)>());
        foreach (var contender in contenders)
        {
            await contender.Load.RunAsync(connections, streams, options.Settle);
        }

        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var contender in contenders)
            {
                await contender.Load.RunAsync(connections, streams, options.WarmUp);
                var before = contender.Server.Cpu;
                var (calls, perSecond) = await contender.Load.RunAsync(connections, streams, options.Duration);
                results[contender].Add((perSecond, (contender.Server.Cpu - before).TotalMicroseconds / calls));
            }
        }

        var vibe = contenders[0];
        report.Add(new($"{name}, throughput", "calls/s", Median(vibe, static result => result.PerSecond))
        {
            Comparisons = [.. contenders[1..].Select(other => new Comparison(other.Name, Median(other, static result => result.PerSecond)))],
        });
        report.Add(new($"{name}, CPU", "µs/call", Median(vibe, static result => result.Cpu))
        {
            Comparisons = [.. contenders[1..].Select(other => new Comparison(other.Name, Median(other, static result => result.Cpu), other.CpuAtMost))],
        });

        double Median(Contender contender, Func<(double PerSecond, double Cpu), double> value) => BenchOptions.Median(results[contender].Select(value));
    }

    // h2load sees HTTP only: that the answer is right is checked once, with our client.
    private static async Task CheckAsync(int port)
    {
        using var channel = GrpcChannel.ForAddress(Url(port, ""));
        var request = Message(300);
        var response = await new RpcTestService.RpcTestServiceClient(channel).EchoAsync(request);
        if (!response.Message.Equals(request.Message) || response.Name != request.Name)
        {
            throw new InvalidOperationException($"The server on port {port} does not echo.");
        }
    }

    private static async Task<ServerProcess> StartCppAsync(int port)
    {
        var build = Path.Combine(BenchOptions.Root, "artifacts/bench-cpp");
        await ServerProcess.RunAsync("cmake", ["-S", Path.Combine(BenchOptions.Root, "tests/benchmarks/Rpc/cpp"), "-B", build]);
        await ServerProcess.RunAsync("cmake", ["--build", build, "--parallel"]);
        var server = ServerProcess.Start(Path.Combine(build, "echo-server"), [$"{port}"]);
        await server.WaitForLineAsync("ready");
        return server;
    }

    // Built of what a small API answers with; larger ones have a longer text.
    private static EchoRequest Message(int size) => new()
    {
        Name = "shelves/7/books/42",
        Words = { "one", "two" },
        Message = new AllTypes
        {
            Text = string.Concat(Enumerable.Repeat("All that is gold does not glitter. ", size / 35 + 1))[..(size - 100)],
            Int32Value = 42,
            Int64Value = 1234567890123,
            DoubleValue = 4.75,
            BoolValue = true,
            Tags = { "a", "b" },
            Labels = { ["kind"] = "feed", ["lang"] = "en" },
        },
    };

    private static byte[] Json(EchoRequest message) => Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(message));

    private static string Size(int bytes) => bytes < 1000 ? $"{bytes} B" : $"{bytes / 1000} KB";

    private static string Url(int port, string path) => $"http://127.0.0.1:{port}{path}";

    private sealed record Contender(string Name, ServerProcess Server, H2Load Load)
    {
        public double? CpuAtMost { get; init; }
    }
}
