using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Vibe.Benchmarks.Measuring;
using Vibe.Documents.V1;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Identity;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Benchmarks.Auth;

/// <summary>
/// What knowing the caller costs: verifying a token, seen before or not, and a proof of its key, each as a share of the processor
/// time of the cheapest call that reads a document; and how many tokens a second the provider issues.
/// </summary>
internal sealed class AuthBench(BenchOptions options, Report report)
{
    private const string Issuer = "http://vibe.localhost:5080";
    private const string Url = Issuer + "/vibe.documents.v1.DocumentsService/GetDocument";
    private const int Batch = 5_000;

    /// <summary>Runs all; adds a row for each.</summary>
    public async Task RunAsync()
    {
        var call = await MeasureCallAsync();
        report.Add(new("GetDocument of a signed-in caller, CPU of the server", "µs/call", call));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var auth = new AuthOptions { Issuer = Issuer };
        var time = TimeProvider.System;
        var codec = new TokenCodec(new SigningKeys([new SigningKey(key, KeyState.Active, time.GetUtcNow())]), auth, time);
        var token = Token(codec);
        AddMicro("access token signed", call, Measure(_ => codec.Sign(Claims)));
        AddMicro("access token verified, not seen before", call, Measure(_ => codec.Verify(token)));

        var cache = new CallerCache(codec, new RevocationSet(time), new NoRights(), time);
        AddMicro("access token verified, seen before", call, Measure(_ => Complete(cache.AuthenticateAsync(token, CancellationToken.None))));

        var proofs = new DpopProofs(time);
        using var holder = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AddMicro("proof of a key verified (DPoP)", call, Measure(
            number => _ = proofs.Verify(_made[number], "POST", Url, token) ?? throw new InvalidOperationException("The proof was refused."),
            () => _made = [.. Enumerable.Range(0, Batch).Select(_ => Prove(holder, token))]));

        using var load = new TokenLoad(options, report);
        await load.RunAsync();
    }

    private string[] _made = [];

    private static AccessToken Claims => new()
    {
        Subject = "did:web:vibe.localhost%3A5080:users:0190a0000000700080000000000000aa",
        Client = "did:web:vibe.localhost%3A5080:apps:0190a0000000700080000000000000bb",
        Scope = "openid profile offline_access documents:notes:write",
        Grant = "0190a000-0000-7000-8000-0000000000cc",
        ExpireTime = TimeProvider.System.GetUtcNow().AddMinutes(10),
    };

    private static string Token(TokenCodec codec) => codec.Sign(Claims);

    // Nothing here waits: there is no database to ask what a caller holds.
    private static void Complete(ValueTask<Caller> caller)
    {
        if (!caller.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("The token was refused, or something was waited for.");
        }
    }

    private void AddMicro(string name, double call, double micros) =>
        report.Add(new(name, "µs", micros) { Comparisons = [new("GetDocument", call)], Note = $"{100 * micros / call:F1} % of GetDocument" });

    // Processor time, so that what else the machine does counts little; the median of some batches.
    private double Measure(Action<int> work, Action? prepare = null)
    {
        var batches = new List<double>();
        for (var batch = 0; batch < 2 + (5 * options.Rounds); batch++)
        {
            prepare?.Invoke();
            var started = Environment.CpuUsage.TotalTime;
            for (var number = 0; number < Batch; number++)
            {
                work(number);
            }

            if (batch > 1)
            {
                batches.Add((Environment.CpuUsage.TotalTime - started).TotalMicroseconds / Batch);
            }
        }

        return BenchOptions.Median(batches);
    }

    private async Task<double> MeasureCallAsync()
    {
        var folder = BenchOptions.NewFolder();
        var cpu = await MeasureCallAsync(folder);
        Directory.Delete(folder, recursive: true);
        return cpu;
    }

    private async Task<double> MeasureCallAsync(string folder)
    {
        var port = ServerProcess.FreePort();
        await using var server = await ServerProcess.StartVibeAsync(port, folder);
        var token = (await ServerProcess.RunAsync("dotnet", [BenchOptions.Vibe, "token", "--user", "bench", "--data", folder])).Trim();
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        http.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        using var content = new StringContent("""{"collection":"notes","data":{"title":"a note"}}""", Encoding.UTF8, "application/json");
        using var made = await http.PostAsync(new Uri("/v1/documents", UriKind.Relative), content);
        var id = (string)JsonNode.Parse(await made.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["id"]!;

        var body = Path.Combine(folder, "get");
        await File.WriteAllBytesAsync(body, H2Load.GrpcFrame(new GetDocumentRequest { Id = id }.ToByteArray()));
        var load = new H2Load(
            $"http://127.0.0.1:{port}/vibe.documents.v1.DocumentsService/GetDocument", body, "content-type: application/grpc", "te: trailers",
            $"authorization: Bearer {token}");
        await load.RunAsync(4, 2, options.Settle);
        var rounds = new List<double>();
        for (var round = 0; round < options.Rounds; round++)
        {
            var before = server.Cpu;
            var (calls, _) = await load.RunAsync(4, 2, options.Duration);
            rounds.Add((server.Cpu - before).TotalMicroseconds / calls);
        }

        return BenchOptions.Median(rounds);
    }

    private static string Prove(ECDsa key, string token)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var header = $$$"""{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"{{{Base64Url.EncodeToString(point.X)}}}","y":"{{{Base64Url.EncodeToString(point.Y)}}}"}}""";
        var claims = new JsonObject
        {
            ["jti"] = Guid.NewGuid().ToString(), ["htm"] = "POST", ["htu"] = Url, ["iat"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
            ["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))),
        };
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private sealed class NoRights : ICallerRights
    {
        public ValueTask<CallerRights> FindAsync(string did, bool isApp, CancellationToken cancellationToken) => ValueTask.FromResult(CallerRights.None);
    }
}
