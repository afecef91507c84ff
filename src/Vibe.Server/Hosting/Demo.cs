using Grpc.Core;
using Vibe.Apps.V1;
using Vibe.Documents.V1;
using Vibe.Rpc.Json;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Commands;

namespace Vibe.Server.Hosting;

/// <summary>
/// What a newcomer finds: a user, an app, a few notes, and 171,075 real places that everyone may read. Everything goes
/// through the API, with keys, so that a second start changes nothing.
/// </summary>
internal static class Demo
{
    private const string User = "demo";
    private const string AppName = "demo-app";
    private static readonly TimeSpan TokenLife = TimeSpan.FromHours(12);

    /// <summary>Fills in what is missing and prints how to use it.</summary>
    public static async Task FillAsync(ServeOptions options, Storage storage, CancellationToken cancellationToken)
    {
        try
        {
            var tokens = await DevelopmentTokens.OpenAsync(storage, cancellationToken);
            var userToken = await tokens.MintAsync(User, app: null, "documents:*:write", TokenLife, cancellationToken);
            var appToken = await tokens.MintAsync(User, AppName, "documents:notes:write", TokenLife, cancellationToken);
            var adminToken = await tokens.MintAsync(User, app: null, "documents:*:write account admin", TokenLife, cancellationToken);

            using var connection = DocumentsConnection.Open(options.PublicUrl, adminToken);
            await DescribeAppAsync(connection, cancellationToken);
            await WriteNotesAsync(connection, cancellationToken);
            Print(options.PublicUrl, userToken, appToken);
            if (options.DemoCities is not null)
            {
                await ImportCitiesAsync(connection, options.DemoCities, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException && cancellationToken.IsCancellationRequested)
        {
            // Told to stop while filling in: the next start goes on.
        }
    }

    private static async Task DescribeAppAsync(DocumentsConnection connection, CancellationToken cancellationToken)
    {
        var there = await connection.Apps.GetAppAsync(new GetAppRequest { Name = AppName }, connection.Headers, cancellationToken: cancellationToken);
        if (there.App.Manifest.DisplayName.Length > 0)
        {
            return;
        }

        var manifest = new AppManifest
        {
            DisplayName = "Demo", Description = "Notes, to try things with", ClientType = ClientType.Web,
            Origins = { "http://demo-app.localhost:5173" },
            RedirectUris = { "http://demo-app.localhost:5173/callback" },
            Scopes =
            {
                new ScopeRequest { Name = "documents:notes:read", Descriptions = { ["en"] = "Show your notes" }, Required = true },
                new ScopeRequest { Name = "documents:notes:write", Descriptions = { ["en"] = "Write, change and delete your notes" } },
            },
            Collections = { new CollectionDeclaration { Collection = "notes", Description = "Notes", IndexedFields = { "data.done" } } },
        };
        await connection.Apps.UpdateAppAsync(
            new UpdateAppRequest { Name = AppName, App = new App { Manifest = manifest } }, connection.Headers, cancellationToken: cancellationToken);
    }

    private static async Task WriteNotesAsync(DocumentsConnection connection, CancellationToken cancellationToken)
    {
        string[] notes = ["Welcome to Vibe", "This note is yours alone", "Share it: PATCH its acl"];
        var request = new BatchWriteDocumentsRequest();
        for (var index = 0; index < notes.Length; index++)
        {
            var data = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { title = notes[index], done = false });
            request.Writes.Add(new Write
            {
                Upsert = new Document { Collection = "notes", Key = $"demo-{index + 1}", Data = StructJson.ToStruct(data) },
                Exists = false,
            });
        }

        try
        {
            await connection.Client.BatchWriteDocumentsAsync(request, connection.Headers, cancellationToken: cancellationToken);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.FailedPrecondition)
        {
            // They are there.
        }
    }

    private static async Task ImportCitiesAsync(DocumentsConnection connection, string file, CancellationToken cancellationToken)
    {
        var plan = new ImportPlan { File = file, Collection = "cities", Public = true };
        var there = await connection.Client.ListFieldIndexesAsync(
            new ListFieldIndexesRequest { Collection = plan.Collection }, connection.Headers, cancellationToken: cancellationToken);
        if (there.FieldIndexes.Count >= Indexes.Length)
        {
            return;
        }

        // The indexes come last: where there is one, the places are there.
        var bad = 0;
        if (there.FieldIndexes.Count == 0)
        {
            Console.WriteLine("filling the collection cities…");
            bad = (await new Importer(connection.Client, connection.Headers, TimeProvider.System).RunAsync(plan, _ => { }, cancellationToken)).Count;
        }

        foreach (var index in Indexes)
        {
            await connection.Client.ApproveFieldIndexAsync(
                new ApproveFieldIndexRequest { FieldIndex = index }, connection.Headers, cancellationToken: cancellationToken);
        }

        Console.WriteLine(bad == 0 ? "cities: ready" : $"cities: ready, without {bad} rows that could not be read");
    }

    private static FieldIndex[] Indexes =>
    [
        new() { Collection = "cities", Path = "data.country", Kind = FieldIndex.Types.Kind.Value },
        new() { Collection = "cities", Path = "data.name", Kind = FieldIndex.Types.Kind.Value },
        new() { Collection = "cities", Path = "data.country, data.name", Kind = FieldIndex.Types.Kind.Value },
        new() { Collection = "cities", Path = "data.name", Kind = FieldIndex.Types.Kind.Text },
    ];

    private static void Print(string url, string userToken, string appToken) => Console.WriteLine(
        $$$"""

        user   {{{User}}}
        token  {{{userToken}}}

        app    {{{AppName}}}, acting for {{{User}}}, which granted it the collection notes
        token  {{{appToken}}}

        Try:
          TOKEN={{{userToken}}}
          curl '{{{url}}}/v1/documents?collection=notes' -H "Authorization: Bearer $TOKEN"
          curl {{{url}}}/v1/documents -H "Authorization: Bearer $TOKEN" --json '{"collection":"notes","data":{"title":"hello"}}'
          curl -g '{{{url}}}/v1/documents?collection=cities&scope=PUBLIC&filter=data.country="PT"&order_by=data.name&page_size=5'

        Reference, with a form to try every call: {{{url}}}/docs
        """);
}
