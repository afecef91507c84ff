using System.CommandLine;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary><c>vibe token</c>.</summary>
internal static class TokenCommand
{
    public static Command Create()
    {
        var user = new Option<string?>("--user") { Description = "The user's handle; the account is made when there is none.", HelpName = "NAME" };
        var app = new Option<string?>("--app") { Description = "The app's name. With --user: the app acts for the user. Alone: as itself.", HelpName = "NAME" };
        var scope = new Option<string>("--scope")
        {
            Description = "Space-separated scopes: documents:<collection>:<read|write>, admin.",
            DefaultValueFactory = _ => "documents:*:write",
        };
        var life = new Option<double>("--hours") { Description = "How long the token is good for, at most 24.", DefaultValueFactory = _ => 12 };
        var data = DataOption.Create();

        var command = new Command("token", "Print an access token for development: whoever can read the data directory is an operator.")
        {
            user, app, scope, life, data,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var lifetime = TimeSpan.FromHours(parsed.GetValue(life));
            if (lifetime <= TimeSpan.Zero || lifetime > AuthOptions.LongestTokenLife)
            {
                throw new Refusal("--hours must be more than 0 and at most 24.");
            }

            await using var storage = await Storage.OpenAsync(parsed.GetValue(data)!.FullName, StorageUse.Command, cancellationToken);
            await storage.MigrateAsync(cancellationToken);
            var tokens = await DevelopmentTokens.OpenAsync(storage, cancellationToken);
            Console.WriteLine(await tokens.MintAsync(
                parsed.GetValue(user), parsed.GetValue(app), parsed.GetValue(scope)!, lifetime, cancellationToken));
            return 0;
        });
        return command;
    }
}
