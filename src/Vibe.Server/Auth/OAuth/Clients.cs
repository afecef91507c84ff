using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Vibe.Apps.V1;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.OAuth;

/// <summary>The apps as clients of the provider; remembered for <see cref="Life"/>. Thread-safe.</summary>
internal sealed class Clients(Database database, TimeProvider time)
{
    /// <summary>How long a node may go on with what it knows of an app.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(3);

    // Names that nobody has are asked for too: past this many everything is forgotten.
    private const int MostRemembered = 10_000;

    private static readonly JsonParser Json = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    private readonly ConcurrentDictionary<string, (Task<Client?> Client, DateTimeOffset ForgetTime)> _clients = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (Task<bool> Known, DateTimeOffset ForgetTime)> _origins = new(StringComparer.Ordinal);

    /// <summary>The app with this DID; null when there is none.</summary>
    public Task<Client?> FindAsync(string clientDid, CancellationToken cancellationToken) =>
        RememberAsync(_clients, clientDid, did => ReadAsync(did), cancellationToken);

    /// <summary>Whether an app works, as the database knows at this moment: for what no other statement looks after.</summary>
    public async Task<bool> IsActiveAsync(string clientDid, CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"select exists (select from vibe.apps where did = {clientDid} and disable_time is null and delete_time is null)",
        static row => row.GetBoolean(0),
        cancellationToken);

    /// <summary>Whether the pages of some app come from this origin: who may read answers across origins.</summary>
    public Task<bool> IsOriginKnownAsync(string origin, CancellationToken cancellationToken) =>
        RememberAsync(_origins, origin, value => IsOriginOfAnAppAsync(value), cancellationToken);

    /// <summary>Forgets an app on this node, after it was changed.</summary>
    public void Forget(string clientDid)
    {
        _clients.TryRemove(clientDid, out _);
        _origins.Clear();
    }

    private async Task<T> RememberAsync<T>(
        ConcurrentDictionary<string, (Task<T>, DateTimeOffset)> known, string key, Func<string, Task<T>> read, CancellationToken cancellationToken)
    {
        if (key.Length > 512 || key.Contains('\0', StringComparison.Ordinal))
        {
            return default!;
        }

        var now = time.GetUtcNow();
        if (!known.TryGetValue(key, out var entry) || entry.Item2 <= now || entry.Item1.IsFaulted || entry.Item1.IsCanceled)
        {
            if (known.Count >= MostRemembered)
            {
                known.Clear();
            }

            known[key] = entry = (read(key), now + Life);
        }

        return await entry.Item1.WaitAsync(cancellationToken);
    }

    // Not stopped with the request that asked first: others wait for the same answer.
    private Task<Client?> ReadAsync(string did) => database.Owner.QueryFirstAsync(
        $"""
        select did, name, manifest, verified, disable_time is not null, create_time, approved_privileges
        from vibe.apps where did = {did} and delete_time is null
        """,
        static row => new Client
        {
            Did = row.GetString(0),
            Name = row.GetString(1),
            Manifest = Json.Parse<AppManifest>(Encoding.UTF8.GetString(row.GetJson(2).Span)),
            Verified = row.GetBoolean(3),
            IsDisabled = row.GetBoolean(4),
            CreateTime = row.GetTimestamp(5),
            ApprovedPrivileges = row.GetTextArray(6),
        },
        CancellationToken.None);

    private async Task<bool> IsOriginOfAnAppAsync(string origin) => await database.Owner.QueryFirstAsync(
        $"""
        select exists (
          select from vibe.apps where manifest -> 'origins' @> to_jsonb({origin}) and delete_time is null and disable_time is null)
        """,
        static row => row.GetBoolean(0),
        CancellationToken.None);
}
