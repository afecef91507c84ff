using System.CommandLine;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary><c>vibe account</c>.</summary>
internal static class AccountCommand
{
    public static Command Create() => new("account", "Look after people's accounts; a running server notices within a second.")
    {
        Change("disable", "Stop an account: nobody signs in, its tokens and live streams end.", static (accounts, handle, stop) => accounts.SetDisabledAsync(handle, true, stop)),
        Change("enable", "Let an account go on.", static (accounts, handle, stop) => accounts.SetDisabledAsync(handle, false, stop)),
        Change("make-operator", "Let a person act as an operator after a fresh sign-in.", static (accounts, handle, stop) => accounts.SetOperatorAsync(handle, true, stop)),
        Change("remove-operator", "Make an operator a person like any other.", static (accounts, handle, stop) => accounts.SetOperatorAsync(handle, false, stop)),
    };

    private static Command Change(string name, string description, Func<AccountOperations, string, CancellationToken, Task> change)
    {
        var handle = new Argument<string>("handle") { Description = "The account's handle." };
        var data = DataOption.Create();
        var command = new Command(name, description) { handle, data };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var storage = await Storage.OpenAsync(parsed.GetValue(data)!.FullName, StorageUse.Command, cancellationToken);
            await storage.MigrateAsync(cancellationToken);
            var auth = new AuthOptions { Issuer = await ServerIdentity.ReadAsync(storage.Database, cancellationToken) };
            var accounts = new AccountOperations(storage.Database, new Audit(storage.Database, TimeProvider.System), auth, TimeProvider.System);
            await change(accounts, parsed.GetValue(handle)!, cancellationToken);
            return 0;
        });
        return command;
    }
}
