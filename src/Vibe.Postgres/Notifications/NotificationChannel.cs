using Npgsql;
using NpgsqlTypes;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Notifications;

/// <summary>
/// One LISTEN/NOTIFY channel of the database, for what processes tell each other and nobody keeps. Never NOTIFY in a
/// transaction that writes documents: its commit lock would hold up all of them.
/// </summary>
/// <param name="options">Where the database is.</param>
/// <param name="name">The channel: lower-case letters and underscores.</param>
public sealed class NotificationChannel(DatabaseOptions options, string name)
{
    /// <summary>The longest payload in ASCII characters; PostgreSQL refuses 8,000.</summary>
    public const int MaxPayload = 7999;

    /// <summary>Connects and listens. What is sent from here on arrives, also what this process sends.</summary>
    /// <exception cref="DatabaseException">No connection.</exception>
    public async Task<NotificationConnection> OpenAsync(CancellationToken cancellationToken)
    {
        // Two connections: a wait that is interrupted for each message to send would not survive TLS.
        var listener = new NpgsqlConnection(ConnectionString("vibe-bus-in"));
        var sender = new NpgsqlConnection(ConnectionString("vibe-bus-out"));
        var connection = new NotificationConnection(listener, sender, name);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch (Exception exception)
        {
            await connection.DisposeAsync();
            if (DatabaseException.IsDriverError(exception))
            {
                throw DatabaseException.From(exception);
            }

            throw;
        }
    }

    private string ConnectionString(string application) => new NpgsqlConnectionStringBuilder(options.ConnectionString)
    {
        ApplicationName = application,
        Pooling = false,
        // A server that vanished without a word is noticed while nothing comes.
        KeepAlive = 5,
        CommandTimeout = 10,
        Timeout = Math.Max(1, (int)Math.Ceiling(options.ConnectTimeout.TotalSeconds)),
        // Nothing is stored, so there is nothing to wait for.
        Options = $"{new NpgsqlConnectionStringBuilder(options.ConnectionString).Options} -c synchronous_commit=off".TrimStart(),
        IncludeErrorDetail = false,
    }.ConnectionString;
}

/// <summary>An open channel. One reader and one sender at a time; the two may run together.</summary>
public sealed class NotificationConnection : IAsyncDisposable
{
    private readonly NpgsqlConnection _listener;
    private readonly NpgsqlConnection _sender;
    private readonly string _channel;
    private readonly Queue<string> _received = new();

    internal NotificationConnection(NpgsqlConnection listener, NpgsqlConnection sender, string channel)
    {
        _listener = listener;
        _sender = sender;
        _channel = channel;
        _listener.Notification += (_, notification) => _received.Enqueue(notification.Payload);
    }

    /// <summary>The next payload. Those of one sender come in the order of its commits.</summary>
    /// <exception cref="DatabaseException">The connection was lost, and what was sent meanwhile with it.</exception>
    public async Task<string> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            string? payload;
            while (!_received.TryDequeue(out payload))
            {
                await _listener.WaitAsync(cancellationToken);
            }

            return payload;
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            throw DatabaseException.From(exception);
        }
    }

    /// <summary>Sends payloads in one transaction, so that nobody else's come between them. Equal ones would arrive once.</summary>
    /// <exception cref="DatabaseException">They may or may not have been sent.</exception>
    public async Task SendAsync(IReadOnlyList<string> payloads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(payloads);
        try
        {
            await using var command = new NpgsqlCommand("select count(pg_notify($1, p)) from unnest($2) p", _sender)
            {
                Parameters =
                {
                    new NpgsqlParameter<string> { TypedValue = _channel },
                    new NpgsqlParameter<string[]> { TypedValue = [.. payloads], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                },
            };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            throw DatabaseException.From(exception);
        }
    }

    /// <summary>Closes both connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _sender.DisposeAsync();
    }

    internal async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _sender.OpenAsync(cancellationToken);
        await _listener.OpenAsync(cancellationToken);
        // A name cannot be a parameter of LISTEN: quoted as an identifier.
        await using var listen = new NpgsqlCommand($"listen {new NpgsqlCommandBuilder().QuoteIdentifier(_channel)}", _listener);
        await listen.ExecuteNonQueryAsync(cancellationToken);
    }
}
