using System.Text.RegularExpressions;
using Vibe.Postgres.Sessions;
using Vibe.Server.Hosting;

namespace Vibe.Server.Auth;

/// <summary>Users and apps by name.</summary>
internal sealed partial class NamedAccounts(Database database, AuthOptions options)
{
    /// <summary>The DID of the user with this handle; the account is made when there is none.</summary>
    /// <exception cref="Refusal">The name has not the form of a handle.</exception>
    public async Task<string> FindOrCreateUserAsync(string handle, CancellationToken cancellationToken)
    {
        CheckForm(handle, "user");
        await database.Owner.ExecuteAsync(
            $"insert into vibe.accounts (did, handle) values ({options.DidOf("users", Guid.CreateVersion7())}, {handle}) on conflict (handle) do nothing",
            cancellationToken);
        return (await database.Owner.QueryFirstAsync(
            $"select did from vibe.accounts where handle = {handle}", static row => row.GetString(0), cancellationToken))!;
    }

    /// <summary>The DID of the app with this name; the account is made when there is none.</summary>
    /// <exception cref="Refusal">The name has not the form of an app's name.</exception>
    public async Task<string> FindOrCreateAppAsync(string name, CancellationToken cancellationToken)
    {
        CheckForm(name, "app");
        await database.Owner.ExecuteAsync(
            $"insert into vibe.apps (did, name) values ({options.DidOf("apps", Guid.CreateVersion7())}, {name}) on conflict (name) do nothing",
            cancellationToken);
        return (await database.Owner.QueryFirstAsync(
            $"select did from vibe.apps where name = {name}", static row => row.GetString(0), cancellationToken))!;
    }

    private static void CheckForm(string name, string what)
    {
        if (!Form.IsMatch(name))
        {
            throw new Refusal($"\"{name}\" is not a name for {(what == "app" ? "an app" : "a user")}: use 1 to 63 characters of a-z, 0-9 and -.");
        }
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,62}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Form { get; }
}
