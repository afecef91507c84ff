using System.CommandLine;
using Spectre.Console;
using Vibe.Server.Hosting;
using Vibe.Server.Kernel;

namespace Vibe.Server.Commands;

/// <summary><c>vibe import json</c>.</summary>
internal static class ImportCommand
{
    // More bad rows than these are counted, not listed.
    private const int ListedBadRows = 20;

    public static Command Create() => new("import", "Write the rows of a file as documents of a running server.") { CreateJson() };

    private static Command CreateJson()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "One JSON array, or one JSON object a line (NDJSON)." };
        var collection = new Option<string>("--collection") { Description = "The collection the documents go to.", Required = true, HelpName = "C" };
        var isPublic = new Option<bool>("--public") { Description = "Everyone may read them." };
        var key = new Option<string?>("--key") { Description = "The field that becomes the key; default: the number of the row.", HelpName = "FIELD" };
        var client = new ClientOptions();

        var command = new Command("json", "Import JSON. Can be stopped and run again: it goes on where it was.") { file, collection, isPublic, key };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var plan = new ImportPlan
            {
                File = parsed.GetValue(file)!.FullName,
                Collection = parsed.GetValue(collection)!,
                Public = parsed.GetValue(isPublic),
                KeyField = parsed.GetValue(key),
            };
            Check(plan);
            using var connection = await client.ConnectAsync(parsed, cancellationToken);
            return Report(await RunAsync(new Importer(connection.Client, connection.Headers, TimeProvider.System), plan, cancellationToken));
        });
        return command;
    }

    private static void Check(ImportPlan plan)
    {
        if (!CollectionName.IsValid(plan.Collection))
        {
            throw new Refusal($"\"{plan.Collection}\" is not the name of a collection: a small letter, then up to 127 of a-z, 0-9, '.', '_' and '-'.");
        }

        if (!File.Exists(plan.File))
        {
            throw new Refusal($"There is no file {plan.File}.");
        }
    }

    private static async Task<(long Rows, IReadOnlyList<BadRow> Bad)> RunAsync(Importer importer, ImportPlan plan, CancellationToken cancellationToken)
    {
        var done = default(ImportProgress);
        var isWarned = false;
        var bad = await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask($"{plan.Collection}", maxValue: Math.Max(1, new FileInfo(plan.File).Length));
                return await importer.RunAsync(
                    plan,
                    progress =>
                    {
                        done = progress;
                        if (!progress.IsNoted && !isWarned)
                        {
                            isWarned = true;
                            Console.Error.WriteLine($"Beside {plan.File} nothing can be written: the import goes on, but when stopped it starts again from the first row.");
                        }

                        bar.Description = $"{plan.Collection}: {progress.Rows:N0} rows";
                        bar.Value = progress.Bytes;
                    },
                    cancellationToken);
            });
        return (done.Rows, bad);
    }

    private static int Report((long Rows, IReadOnlyList<BadRow> Bad) result)
    {
        Console.WriteLine($"{result.Rows - result.Bad.Count:N0} rows imported, {result.Bad.Count:N0} left out.");
        foreach (var row in result.Bad.Take(ListedBadRows))
        {
            Console.Error.WriteLine($"row {row.Number}, line {row.Line}: {row.Reason}");
        }

        if (result.Bad.Count > ListedBadRows)
        {
            Console.Error.WriteLine($"and {result.Bad.Count - ListedBadRows:N0} more");
        }

        return result.Bad.Count == 0 ? 0 : 1;
    }
}
