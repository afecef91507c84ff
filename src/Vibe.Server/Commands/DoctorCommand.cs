using System.CommandLine;
using System.Globalization;
using Vibe.Postgres.Diagnostics;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Hosting;
using Vibe.Server.Realtime;

namespace Vibe.Server.Commands;

/// <summary><c>vibe doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var command = new Command("doctor", "Examine the installation and say what is wrong and what to do; changes nothing.") { data };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var storage = await Storage.OpenAsync(parsed.GetValue(data)!.FullName, StorageUse.Command, cancellationToken);
            var report = await storage.Diagnostics().ExamineAsync(cancellationToken);
            Print(report);
            var (feed, feedProblem) = FeedOf(report, FeedSetting());
            Line("change feed", feed);
            var problems = report.Problems.Concat(feedProblem).Concat(await ProblemsOfKeysAsync(storage, cancellationToken)).ToList();
            foreach (var problem in problems)
            {
                Console.WriteLine($"problem       {problem}");
            }

            Console.WriteLine(problems.Count == 0 ? "All is well." : $"{problems.Count} problem{(problems.Count == 1 ? "" : "s")} found.");
            return problems.Count == 0 ? 0 : 1;
        });
        return command;
    }

    private static void Print(DatabaseReport report)
    {
        Line("PostgreSQL", $"{report.ServerVersion}, {report.Connections} of {report.MaxConnections} connections in use");
        Line("database", Size(report.DatabaseBytes));
        Line("schema", report.Migrations.Pending.Count == 0 ? "up to date" : $"{report.Migrations.Pending.Count} migrations to run");
        Line("durability", report.Durable ? "commits reach the disk" : "commits may be lost in a crash");
        foreach (var role in report.Roles)
        {
            Line($"role {role.Name}", role.IsSuperuser || role.BypassesRowSecurity ? "bypasses row-level security" : "subject to row-level security");
        }

        if (report.Storage is { } storage)
        {
            Line("disk", $"{storage.DataDirectory}: {(storage.DataBytes is { } bytes ? Size(bytes) : "?")} used, {Size(storage.FreeBytes)} free");
        }
    }

    /// <summary>Which feed a server that starts now would use, and why.</summary>
    internal static (string Line, IReadOnlyList<string> Problems) FeedOf(DatabaseReport report, FeedKind kind) =>
        (kind, report.ReplicationObstacle) switch
        {
            (FeedKind.Polling, _) => ("polling, because the settings say so", []),
            (_, null) => ($"replication; {report.Feeds} node{(report.Feeds == 1 ? "" : "s")} read the log now", []),
            (FeedKind.Auto, var obstacle) => ($"polling, because {obstacle}; replication is faster and costs the database less", []),
            (_, var obstacle) => ("none", [$"There are no live queries, because {obstacle}: allow it, or let Vibe:Realtime:Feed be auto."]),
        };

    private static FeedKind FeedSetting() =>
        new ConfigurationBuilder().AddEnvironmentVariables().Build().GetSection(RealtimeOptions.Section).Get<RealtimeOptions>()?.Feed ?? FeedKind.Auto;

    // The master key fits the database: its signing keys can be read.
    private static async Task<IReadOnlyList<string>> ProblemsOfKeysAsync(Storage storage, CancellationToken cancellationToken)
    {
        try
        {
            await SigningKeys.LoadAsync(storage.Database, storage.MasterKey, cancellationToken);
            return [];
        }
        catch (Refusal refusal)
        {
            return [refusal.Message];
        }
        catch (DatabaseException)
        {
            return ["The signing keys cannot be read: run `vibe migrate`."];
        }
    }

    private static void Line(string name, string value) => Console.WriteLine($"{name,-17} {value}");

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 => (bytes / (double)(1L << 30)).ToString("0.0 GiB", CultureInfo.InvariantCulture),
        _ => (bytes / (double)(1L << 20)).ToString("0.0 MiB", CultureInfo.InvariantCulture),
    };
}
