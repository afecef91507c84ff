using System.CommandLine;
using Google.Protobuf;
using Vibe.Apps.V1;
using Vibe.Server.Apps;
using Vibe.Server.Apps.Manifests;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Documents;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Hosting;
using Vibe.Server.Kernel;

namespace Vibe.Server.Commands;

/// <summary><c>vibe app</c>: what an operator does with apps without signing in anywhere.</summary>
internal static class AppCommand
{
    // Whoever can read the data directory is an operator.
    private static readonly Caller Operator = new() { Scopes = Scopes.Parse("admin") };

    public static Command Create() => new("app", "Register, list and approve apps.") { CreateApp(), List(), Approve() };

    private static Command CreateApp()
    {
        var name = new Argument<string>("name") { Description = "1 to 63 characters of a-z, 0-9 and -." };
        var manifest = new Argument<FileInfo>("manifest") { Description = "A file with the manifest as JSON: displayName, origins, redirectUris, scopes, …" };
        var owner = new Option<string?>("--owner") { Description = "The handle of the account that looks after it; the account is made when there is none.", HelpName = "HANDLE" };
        var data = DataOption.Create();
        var command = new Command("create", "Register an app and print its DID, which is its client_id.") { name, manifest, owner, data };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(data)!, async (storage, changes, _) =>
        {
            var app = new App { Name = parsed.GetValue(name)!, Manifest = Read(parsed.GetValue(manifest)!) };
            var did = parsed.GetValue(owner) is { } handle ? await storage.FindOrCreateUserAsync(handle, cancellationToken) : null;
            Console.WriteLine((await changes.CreateAsync(Operator with { Did = did }, app, keep: true, cancellationToken)).Did);
        }, cancellationToken));
        return command;
    }

    private static Command List()
    {
        var waiting = new Option<bool>("--waiting") { Description = "Only apps that ask for privileges nobody has approved." };
        var data = DataOption.Create();
        var command = new Command("list", "List apps: name, DID, state, and privileges that wait.") { waiting, data };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(data)!, async (_, _, apps) =>
        {
            var after = "";
            while (await apps.ListAsync(Operator, all: true, parsed.GetValue(waiting), limit: 200, after, cancellationToken) is { Count: > 0 } page)
            {
                foreach (var (app, _) in page)
                {
                    var asked = string.Join(' ', app.Manifest.Privileges.Except(app.ApprovedPrivileges, StringComparer.Ordinal));
                    Console.WriteLine($"{app.Name}\t{app.Did}\t{(app.IsDisabled ? "disabled" : "active")}\t{asked}");
                }

                after = page[^1].Row.Name;
            }
        }, cancellationToken));
        return command;
    }

    private static Command Approve()
    {
        var name = new Argument<string>("name") { Description = "The app's name or DID." };
        var privileges = new Argument<string[]>("privileges") { Description = "What it may have from now on, each one that its manifest asks for. None: nothing." };
        var data = DataOption.Create();
        var command = new Command("approve", "Set the privileges of an app that acts as itself.") { name, privileges, data };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(data)!, async (_, changes, _) =>
        {
            var app = (await changes.ApproveAsync(Operator, parsed.GetValue(name)!, parsed.GetValue(privileges)!, cancellationToken)).Row;
            Console.WriteLine($"{app.Name}: {(app.ApprovedPrivileges.Count == 0 ? "no privileges" : string.Join(' ', app.ApprovedPrivileges))}");
        }, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        DirectoryInfo data, Func<NamedAccounts, AppChanges, AppStore, Task> action, CancellationToken cancellationToken)
    {
        await using var storage = await Storage.OpenAsync(data.FullName, StorageUse.Command, cancellationToken);
        await storage.MigrateAsync(cancellationToken);
        var auth = new AuthOptions { Issuer = await ServerIdentity.ReadAsync(storage.Database, cancellationToken) };
        var time = TimeProvider.System;
        var apps = new AppStore(storage.Database, new Audit(storage.Database, time), new RevocationSet(time), new Clients(storage.Database, time));
        var changes = new AppChanges(
            apps, new ManifestRules(auth), new FieldIndexSuggestions(new FieldIndexStore(storage.Database)), auth, time);
        await action(new NamedAccounts(storage.Database, auth), changes, apps);
        return 0;
    }

    private static AppManifest Read(FileInfo file)
    {
        try
        {
            return JsonParser.Default.Parse<AppManifest>(File.ReadAllText(file.FullName));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidProtocolBufferException)
        {
            throw new Refusal($"{file.FullName} cannot be read as a manifest: {exception.Message}");
        }
    }
}
