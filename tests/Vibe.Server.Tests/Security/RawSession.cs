using Npgsql;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Security;

/// <summary>
/// SQL of an attacker who broke out of the store: a connection as <c>vibe_app</c> with the context of one caller. The
/// database has to hold by itself.
/// </summary>
internal sealed class RawSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private RawSession(NpgsqlConnection connection) => _connection = connection;

    /// <summary>Opens a session that stays signed in as the caller, or as nobody when null.</summary>
    public static async Task<RawSession> OpenAsync(DocumentsHost host, Someone? someone)
    {
        var settings = new NpgsqlConnectionStringBuilder(host.Connection) { Options = "-c role=vibe_app", NoResetOnClose = true, Pooling = false };
        var session = new RawSession(new NpgsqlConnection(settings.ConnectionString));
        await session._connection.OpenAsync();
        if (someone is not null)
        {
            var caller = someone.Caller;
            await session.SetAsync("vibe.me", caller.Did ?? "");
            await session.SetAsync("vibe.app", caller.App ?? "");
            await session.SetAsync("vibe.principals", $"{{{string.Join(',', caller.Principals.Select(static principal => $"\"{principal}\""))}}}");
            await session.SetAsync("vibe.read_scopes", $"{{{string.Join(',', caller.Scopes.Read)}}}");
            await session.SetAsync("vibe.write_scopes", $"{{{string.Join(',', caller.Scopes.Write)}}}");
            await session.SetAsync("vibe.read_privileges", $"{{{string.Join(',', caller.Privileges.Read)}}}");
            await session.SetAsync("vibe.write_privileges", $"{{{string.Join(',', caller.Privileges.Write)}}}");
        }

        return session;
    }

    /// <summary>The first column of all rows, as text.</summary>
    public async Task<List<string?>> QueryAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        await using var reader = await command.ExecuteReaderAsync();
        List<string?> rows = [];
        while (await reader.ReadAsync())
        {
            rows.Add(reader.IsDBNull(0) ? null : Convert.ToString(reader.GetValue(0), System.Globalization.CultureInfo.InvariantCulture));
        }

        return rows;
    }

    /// <summary>How many rows a statement changed.</summary>
    public async Task<int> ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>The SQLSTATE a statement fails with.</summary>
    public async Task<string> FailureOf(string sql) => (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(sql))).SqlState;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task SetAsync(string name, string value)
    {
        await using var command = new NpgsqlCommand("select set_config($1, $2, false)", _connection)
        {
            Parameters = { new() { Value = name }, new() { Value = value } },
        };
        await command.ExecuteScalarAsync();
    }
}
