using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Vibe.Documents.V1;

namespace Vibe.Benchmarks.Documents;

/// <summary>
/// What a good developer writes by hand in a day: minimal API and Npgsql, one statement and one round trip a call, the
/// access rule in each statement's WHERE, no row-level security, no projections, the two indexes these calls need. Its
/// tables are a copy of the same documents in the same database.
/// </summary>
internal static class AlternativeServer
{
    /// <summary>Copies the documents into tables of its own, owned by the superuser and without any trigger.</summary>
    public const string Schema = """
        drop schema if exists alternative cascade;
        create schema alternative;
        create table alternative.documents as
          select id, collection, owner_did, app_did, key, data, acl, edges, audience, readers, writers, denied, create_time, update_time, revision
          from vibe.documents where delete_time is null;
        alter table alternative.documents add primary key (id);
        create index on alternative.documents (owner_did, collection, create_time desc, id desc);
        create index on alternative.documents (collection, create_time desc, id desc) where audience = 2;
        create index on alternative.documents (collection, create_time desc, id desc);
        create index on alternative.documents (collection, (data ->> 'country'), (data ->> 'name')) where data ? 'country';
        create index on alternative.documents (collection, (data ->> 'ref'), create_time desc) where data ? 'ref';
        create index on alternative.documents using gin (to_tsvector('simple', data ->> 'name')) where data ? 'name';
        vacuum analyze alternative.documents;
        """;

    /// <summary>The token of the one caller it knows.</summary>
    public const string Token = "alternative";

    private const string Columns = "d.id, d.collection, d.owner_did, d.app_did, d.key, d.data, d.acl, d.edges, d.create_time, d.update_time, d.revision";

    // $1 the caller, $2 what the caller counts as.
    private const string MayRead =
        "(d.audience = 2 or d.owner_did = $1 or (d.audience = 1 and 'users' = any ($2)) or d.readers && $2) and (d.owner_did = $1 or not d.denied && $2)";

    /// <summary>The path and query of a list or a search.</summary>
    public static string Route(DocumentsCase what) => what.Operation == Operation.Search
        ? $"/v1/documents/search?collection={what.Collection}&words={Uri.EscapeDataString(what.Value)}"
        : $"/v1/documents?collection={what.Collection}&isPublic={(what.Scope == DocumentScope.Public ? "true" : "false")}&field={what.Field}&value={what.Value}&order={what.Order}";

    /// <summary>Serves until the process is told to end.</summary>
    public static async Task RunAsync(string port, string connection, string did)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)));
        var settings = new NpgsqlConnectionStringBuilder(connection) { NoResetOnClose = true, MaxAutoPrepare = 100, AutoPrepareMinUsages = 2, MaxPoolSize = 32 };
        await using var database = NpgsqlDataSource.Create(settings);
        // The least one can do: tokens are looked up, as if verified before.
        var callers = new Dictionary<string, Caller>(StringComparer.Ordinal) { [$"Bearer {Token}"] = new(did, [did, "users"]) }.ToFrozenDictionary();

        await using var app = builder.Build();
        app.MapGet("/v1/documents/{id:guid}", (HttpContext http, Guid id) => OneAsync(
            http, $"select {Columns} from alternative.documents d where d.id = $3 and {MayRead}", Uuid(id)));
        app.MapPost("/v1/documents", async (HttpContext http) =>
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body, default, http.RequestAborted);
            await OneAsync(
                http,
                $"""
                insert into alternative.documents as d (id, collection, owner_did, app_did, data, acl, edges, audience, readers, writers, denied, create_time, update_time, revision)
                select $3, $4, $1, '', $5, '[]', '[]', 0, '{"{}"}', '{"{}"}', '{"{}"}', now(), now(), 1 where $2 is not null returning {Columns}
                """,
                Uuid(Guid.CreateVersion7()), Text(body.RootElement.GetProperty("collection").GetString()!), Json(body.RootElement.GetProperty("data")));
        });
        app.MapPatch("/v1/documents/{id:guid}", async (HttpContext http, Guid id) =>
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body, default, http.RequestAborted);
            await OneAsync(
                http,
                $"""
                update alternative.documents d set data = d.data || $4, update_time = now(), revision = d.revision + 1
                where d.id = $3 and (d.owner_did = $1 or (d.writers && $2 and not d.denied && $2)) returning {Columns}
                """,
                Uuid(id), Json(body.RootElement.GetProperty("data")));
        });
        app.MapGet("/v1/documents", (HttpContext http, string collection, bool isPublic, string? field, string? value, string? order) => ManyAsync(
            http,
            $"""
            select {Columns} from alternative.documents d
            where d.collection = $3 and {(isPublic ? $"d.audience = 2 and not d.denied && $2 and $1 is not null" : MayRead)}{Where(field)}
            order by {Order(order)} limit 51
            """,
            [Text(collection), .. string.IsNullOrEmpty(field) ? (NpgsqlParameter[])[] : [Text(value!)]]));
        app.MapGet("/v1/documents/search", (HttpContext http, string collection, string words) => ManyAsync(
            http,
            $"""
            select {Columns} from alternative.documents d
            where d.collection = $3 and d.data ? 'name' and to_tsvector('simple', d.data ->> 'name') @@ websearch_to_tsquery('simple', $4) and {MayRead}
            order by ts_rank(to_tsvector('simple', d.data ->> 'name'), websearch_to_tsquery('simple', $4)) desc, d.id desc limit 51
            """,
            Text(collection), Text(words)));
        await app.StartAsync();
        Console.WriteLine("ready");
        await app.WaitForShutdownAsync();

        async Task OneAsync(HttpContext http, string sql, params NpgsqlParameter[] parameters)
        {
            if (await QueryAsync(http, sql, parameters, isList: false) is { } json)
            {
                await AnswerAsync(http, json);
            }
        }

        async Task ManyAsync(HttpContext http, string sql, params NpgsqlParameter[] parameters) =>
            await AnswerAsync(http, (await QueryAsync(http, sql, parameters, isList: true))!);

        async Task<ArrayBufferWriter<byte>?> QueryAsync(HttpContext http, string sql, NpgsqlParameter[] parameters, bool isList)
        {
            if (!callers.TryGetValue(http.Request.Headers.Authorization.ToString(), out var caller))
            {
                http.Response.StatusCode = 401;
                return null;
            }

            await using var command = database.CreateCommand(sql);
            command.Parameters.Add(Text(caller.Did));
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = caller.Principals, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            command.Parameters.AddRange(parameters);
            await using var reader = await command.ExecuteReaderAsync(http.RequestAborted);
            var buffer = new ArrayBufferWriter<byte>(isList ? 32_768 : 1024);
            using var json = new Utf8JsonWriter(buffer);
            if (isList)
            {
                json.WriteStartObject();
                json.WriteStartArray("documents");
            }

            var count = 0;
            while (await reader.ReadAsync(http.RequestAborted) && count < DocumentsCase.PageSize)
            {
                Write(json, reader, caller);
                count++;
            }

            if (isList)
            {
                json.WriteEndArray();
                json.WriteEndObject();
            }
            else if (count == 0)
            {
                http.Response.StatusCode = 404;
                return null;
            }

            json.Flush();
            return buffer;
        }
    }

    private static async Task AnswerAsync(HttpContext http, ArrayBufferWriter<byte> json)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = json.WrittenCount;
        await http.Response.BodyWriter.WriteAsync(json.WrittenMemory, http.RequestAborted);
    }

    private static void Write(Utf8JsonWriter json, NpgsqlDataReader row, Caller caller)
    {
        json.WriteStartObject();
        json.WriteString("id", row.GetGuid(0));
        json.WriteString("collection", row.GetString(1));
        json.WriteString("owner", row.GetString(2));
        json.WriteString("app", row.GetString(3));
        if (!row.IsDBNull(4))
        {
            json.WriteString("key", row.GetString(4));
        }

        json.WritePropertyName("data");
        json.WriteRawValue(row.GetFieldValue<byte[]>(5), skipInputValidation: true);
        if (row.GetString(2) == caller.Did)
        {
            json.WritePropertyName("acl");
            json.WriteRawValue(row.GetFieldValue<byte[]>(6), skipInputValidation: true);
        }

        json.WritePropertyName("edges");
        json.WriteRawValue(row.GetFieldValue<byte[]>(7), skipInputValidation: true);
        json.WriteString("createTime", row.GetDateTime(8));
        json.WriteString("updateTime", row.GetDateTime(9));
        json.WriteNumber("revision", row.GetInt64(10));
        json.WriteEndObject();
    }

    // Fields that the developer foresaw.
    private static string Where(string? field) => field switch
    {
        "country" => " and d.data ? 'country' and d.data ->> 'country' = $4",
        "ref" => " and d.data ? 'ref' and d.data ->> 'ref' = $4",
        _ => "",
    };

    private static string Order(string? order) => order == "name" ? "d.data ->> 'name', d.id" : "d.create_time desc, d.id desc";

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter<Guid> Uuid(Guid value) => new() { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid };

    private static NpgsqlParameter<string> Json(JsonElement value) => new() { TypedValue = value.GetRawText(), NpgsqlDbType = NpgsqlDbType.Jsonb };

    private sealed record Caller(string Did, string[] Principals);
}
