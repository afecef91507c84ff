using System.CommandLine;
using Vibe.Server.Hosting;

namespace Vibe.Server.Commands;

/// <summary><c>vibe migrate</c>.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var command = new Command("migrate", "Bring the database to the version of this binary; `serve` does the same at its start.") { data };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var storage = await Storage.OpenAsync(parsed.GetValue(data)!.FullName, StorageUse.Command, cancellationToken);
            var applied = await storage.MigrateAsync(cancellationToken);
            Console.WriteLine(applied.Count == 0 ? "Nothing to do." : $"Applied {string.Join(", ", applied)}.");
            return 0;
        });
        return command;
    }
}
