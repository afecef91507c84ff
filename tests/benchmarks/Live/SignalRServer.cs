using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using Npgsql;
using NpgsqlTypes;

namespace Vibe.Benchmarks.Live;

/// <summary>
/// What a good developer writes by hand in a day: a table, a trigger that notifies, one listener, a SignalR hub with a group
/// for each collection and one for each user. No access rules beyond that, no filters, nothing to resume from.
/// </summary>
internal static class SignalRServer
{
    /// <summary>Its table.</summary>
    public const string Schema = """
        drop schema if exists signalr cascade;
        create schema signalr;
        create table signalr.messages (
          id uuid primary key default gen_random_uuid(), collection text not null, owner text not null, reader text, data jsonb not null,
          create_time timestamptz not null default now());
        create function signalr.tell() returns trigger language plpgsql as $$ begin
          perform pg_notify('signalr', row_to_json(new)::text); return null; end $$;
        create trigger tell after insert on signalr.messages for each row execute function signalr.tell();
        """;

    /// <summary>Serves until the process is told to end.</summary>
    public static async Task RunAsync(string port, string connection)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)));
        builder.Services.AddSignalR(static options => options.ClientTimeoutInterval = TimeSpan.FromHours(1));
        await using var app = builder.Build();
        var settings = new NpgsqlConnectionStringBuilder(connection) { NoResetOnClose = true, MaxAutoPrepare = 100, AutoPrepareMinUsages = 2, MaxPoolSize = 32 };
        await using var database = NpgsqlDataSource.Create(settings);
        await using (var schema = database.CreateCommand(Schema))
        {
            await schema.ExecuteNonQueryAsync();
        }

        app.MapHub<LiveHub>("/live");
        app.MapPost("/documents", async (HttpContext http, string? reader) =>
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body, default, http.RequestAborted);
            await using var command = database.CreateCommand("insert into signalr.messages (collection, owner, reader, data) values ('live', 'writer', $1, $2) returning id");
            command.Parameters.Add(new() { Value = reader is null ? DBNull.Value : reader, NpgsqlDbType = NpgsqlDbType.Text });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = body.RootElement.GetRawText(), NpgsqlDbType = NpgsqlDbType.Jsonb });
            return ((Guid)(await command.ExecuteScalarAsync(http.RequestAborted))!).ToString();
        });
        await app.StartAsync();
        _ = ListenAsync(app.Services.GetRequiredService<IHubContext<LiveHub>>(), database);
        Console.WriteLine("ready");
        await app.WaitForShutdownAsync();
    }

    private static async Task ListenAsync(IHubContext<LiveHub> hub, NpgsqlDataSource database)
    {
        var arrived = Channel.CreateUnbounded<string>();
        _ = Task.Run(async () =>
        {
            await using var connection = await database.OpenConnectionAsync();
            connection.Notification += (_, message) => arrived.Writer.TryWrite(message.Payload);
            await using var listen = new NpgsqlCommand("listen signalr", connection);
            await listen.ExecuteNonQueryAsync();
            while (true)
            {
                await connection.WaitAsync();
            }
        });
        await foreach (var payload in arrived.Reader.ReadAllAsync())
        {
            var document = JsonElement.Parse(payload);
            await hub.Clients.Group(document.GetProperty("reader").GetString() ?? document.GetProperty("collection").GetString()!).SendAsync("changed", document);
        }
    }

    private sealed class LiveHub : Hub
    {
        public async Task Follow(string collection, string me)
        {
            await Groups.AddToGroupAsync(Context.ConnectionId, collection);
            await Groups.AddToGroupAsync(Context.ConnectionId, me);
        }
    }
}
