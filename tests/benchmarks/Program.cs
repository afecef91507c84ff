using Vibe.Benchmarks;
using Vibe.Benchmarks.Auth;
using Vibe.Benchmarks.Documents;
using Vibe.Benchmarks.Growth;
using Vibe.Benchmarks.Json;
using Vibe.Benchmarks.Live;
using Vibe.Benchmarks.Measuring;
using Vibe.Benchmarks.Rpc;

switch (args)
{
    // Servers and clients under measurement: this program again, as processes of their own.
    case ["serve-rpc", var port]:
        await RpcServer.RunAsync(port);
        return 0;
    case ["serve-minimal", var port]:
        await MinimalServer.RunAsync(port);
        return 0;
    case ["serve-alternative", var port, var connection, var did]:
        await AlternativeServer.RunAsync(port, connection, did);
        return 0;
    case ["drive", var plan]:
        await DocumentsDriver.RunAsync(plan);
        return 0;
    case ["serve-signalr", var port, var connection]:
        await SignalRServer.RunAsync(port, connection);
        return 0;
    case ["drive-crowd", var plan]:
        await CrowdDriver.RunAsync(plan);
        return 0;
    case ["drive-live", var plan]:
        await LiveDriver.RunAsync(plan);
        return 0;
}

string[] known = ["json", "rpc", "start", "documents", "million", "live", "crowd", "auth", "growth"];
var options = new BenchOptions { IsQuick = args.Contains("--quick"), Rounds = args.Contains("--quick") || args.Contains("--once") ? 1 : 3 };
var names = args.Except(["--quick", "--once"]).ToList();
if (names.Except(known).FirstOrDefault() is { } unknown)
{
    await Console.Error.WriteLineAsync($"bench: there is no benchmark {unknown}; usage: ./scripts/bench.sh [--quick | --once] [{string.Join("] [", known)}]");
    return 2;
}

var report = new Report();
foreach (var name in names.Count > 0 ? known.Intersect(names) : known.Where(name => name is not ("million" or "growth") || !options.IsQuick))
{
    switch (name)
    {
        case "json":
            JsonBench.Run(Console.Out);
            break;
        case "rpc":
            await new RpcBench(options, report).RunAsync();
            break;
        case "start":
            await new StartBench(options, report).RunAsync();
            break;
        case "documents":
            await new DocumentsBench(options, report).RunAsync(isMillion: false);
            break;
        case "live":
            await new LiveBench(options, report).RunAsync();
            break;
        case "crowd":
            await new CrowdBench(options, report).RunAsync();
            break;
        case "auth":
            await new AuthBench(options, report).RunAsync();
            break;
        case "growth":
            await new GrowthBench(options, report).RunAsync();
            break;
        case "million":
            await new DocumentsBench(options, report).RunAsync(isMillion: true);
            break;
    }
}

report.Print(Console.Out);
Console.WriteLine(report.Save(options));
return 0;
