using System.Globalization;
using System.Net.Sockets;
using Vibe.Postgres.Diagnostics;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Accounts.Mail;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Hosting;
using Vibe.Server.Hosting.Metrics;
using Vibe.Server.Realtime;

namespace Vibe.Server.Commands;

/// <summary>What one look found.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Fact">How it is, when nothing is wrong.</param>
/// <param name="Problems">What is wrong, one sentence each with what to do.</param>
internal sealed record DoctorCheck(string Name, string Fact, IReadOnlyList<string> Problems);

/// <summary>Looks at all that an installation needs.</summary>
internal static class DoctorChecks
{
    private static readonly TimeSpan MailPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MaxClockDifference = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(14);

    /// <summary>Runs every check, in the order an operator would.</summary>
    /// <exception cref="DatabaseException">The database cannot be reached.</exception>
    public static async Task<IReadOnlyList<DoctorCheck>> RunAsync(Storage storage, CancellationToken cancellationToken)
    {
        var settings = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var report = await storage.Diagnostics().ExamineAsync(cancellationToken);
        var (feed, feedProblems) = FeedOf(report, settings.GetSection(RealtimeOptions.Section).Get<RealtimeOptions>()?.Feed ?? FeedKind.Auto);
        List<DoctorCheck> checks =
        [
            .. OfDatabase(report),
            new("change feed", feed, feedProblems),
            await ClocksAsync(storage.Database, cancellationToken),
            await MasterKeyAsync(storage, report, cancellationToken),
            await PublicUrlAsync(storage.Database, report, cancellationToken),
            await MailAsync(settings.GetSection("Vibe:Mail").Get<MailOptions>() ?? new MailOptions(), cancellationToken),
            new("metrics", MetricsEndpoint.ReadToken() is null ? $"off; {MetricsEndpoint.TokenVariable} switches them on" : "at /metrics, with the token", []),
        ];
        if (TlsOptions.FromEnvironment() is { } tls)
        {
            checks.Add(await CertificateAsync(tls, cancellationToken));
        }

        return checks;
    }

    private static IEnumerable<DoctorCheck> OfDatabase(DatabaseReport report)
    {
        yield return Of(DatabaseCheck.Version, "PostgreSQL", report.ServerVersion);
        yield return Of(DatabaseCheck.Connections, "connections", $"{report.Connections} of {report.MaxConnections} in use");
        yield return Of(DatabaseCheck.Durability, "durability", "commits reach the disk");
        yield return Of(DatabaseCheck.Schema, "schema", $"up to date, {Size(report.DatabaseBytes)}");
        yield return Of(DatabaseCheck.Roles, "roles", "row-level security holds for all of them");
        yield return Of(DatabaseCheck.Transactions, "transactions", "none that writes has been open for a minute");
        yield return Of(DatabaseCheck.Slots, "slots", "no unused one keeps the log");
        if (report.Storage is { } storage)
        {
            yield return Of(DatabaseCheck.Disk, "disk", $"{storage.DataDirectory}: {(storage.DataBytes is { } bytes ? Size(bytes) : "?")} used, {Size(storage.FreeBytes)} free");
        }

        DoctorCheck Of(DatabaseCheck check, string name, string fact) =>
            new(name, fact, [.. report.Problems.Where(problem => problem.Check == check).Select(static problem => problem.Text)]);
    }

    /// <summary>Which feed a server that starts now would use, and why.</summary>
    internal static (string Line, IReadOnlyList<string> Problems) FeedOf(DatabaseReport report, FeedKind kind) =>
        (kind, report.ReplicationObstacle) switch
        {
            (FeedKind.Polling, _) => ("polling, because the settings say so", []),
            (_, null) => ($"replication; {report.Feeds} node{(report.Feeds == 1 ? " reads" : "s read")} the log now", []),
            (FeedKind.Auto, var obstacle) => ($"polling, because {obstacle}; replication is faster and costs the database less", []),
            (_, var obstacle) => ("none", [$"There are no live queries, because {obstacle}: allow it, or let Vibe:Realtime:Feed be auto."]),
        };

    // The database's time, compared with the middle of the question.
    private static async Task<DoctorCheck> ClocksAsync(Database database, CancellationToken cancellationToken)
    {
        var before = TimeProvider.System.GetUtcNow();
        var theirs = await database.Admin.QueryFirstAsync($"select clock_timestamp()", static row => row.GetTimestamp(0), cancellationToken);
        var trip = TimeProvider.System.GetUtcNow() - before;
        var difference = (theirs - before - (trip / 2)).Duration();
        var seconds = difference.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        return new("clocks", $"{seconds} s between this machine and the database", difference - trip <= MaxClockDifference ? [] :
            [$"This machine and the database differ by {seconds} s: keep both by NTP, or revoked tokens may still be taken."]);
    }

    // The master key fits the database: its signing keys can be read.
    private static async Task<DoctorCheck> MasterKeyAsync(Storage storage, DatabaseReport report, CancellationToken cancellationToken)
    {
        if (report.Migrations.Pending.Count > 0)
        {
            return new("master key", "not compared: the schema is not there yet", []);
        }

        try
        {
            var keys = await new SigningKeyStore(storage.Database, storage.MasterKey).ReadAsync(cancellationToken);
            return new("master key", $"fits; {keys.Count} signing key{(keys.Count == 1 ? "" : "s")}", []);
        }
        catch (Refusal refusal)
        {
            return new("master key", "", [refusal.Message]);
        }
    }

    private static async Task<DoctorCheck> PublicUrlAsync(Database database, DatabaseReport report, CancellationToken cancellationToken)
    {
        var told = Environment.GetEnvironmentVariable("VIBE_PUBLIC_URL")?.TrimEnd('/');
        var known = report.Migrations.Pending.Count > 0 ? null : await ServerIdentity.FindAsync(database, cancellationToken);
        var url = string.IsNullOrEmpty(told) ? known : told;
        List<string> problems = [];
        if (!string.IsNullOrEmpty(told) && known is not null && told != known)
        {
            problems.Add($"VIBE_PUBLIC_URL is {told}, and the database knows {known}: tokens and DIDs are of the old one, so change it back unless you mean to move.");
        }

        if (Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme == Uri.UriSchemeHttp && !parsed.IsLoopback && !parsed.Host.EndsWith(".localhost", StringComparison.Ordinal))
        {
            problems.Add($"{url} is not https: passkeys and cookies work over TLS only, so put a TLS proxy in front or use --tls-port, and say https in VIBE_PUBLIC_URL.");
        }

        return new("public URL", url ?? "not known before the first start", problems);
    }

    private static async Task<DoctorCheck> MailAsync(MailOptions mail, CancellationToken cancellationToken)
    {
        if (mail.Host.Length == 0)
        {
            return new("mail", "no SMTP server; mails are written as files", []);
        }

        var server = string.Create(CultureInfo.InvariantCulture, $"{mail.Host}:{mail.Port}");
        using var patience = new CancellationTokenSource(MailPatience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(mail.Host, mail.Port, either.Token);
            return new("mail", $"{server} answers", []);
        }
        catch (Exception exception) when (exception is SocketException || (exception is OperationCanceledException && patience.IsCancellationRequested))
        {
            return new("mail", "", [$"{server} cannot be reached: nobody can sign in by mail until Vibe__Mail__Host and Port are right and the network lets them through."]);
        }
    }

    private static async Task<DoctorCheck> CertificateAsync(TlsOptions tls, CancellationToken cancellationToken)
    {
        try
        {
            var end = (await TlsCertificate.OpenAsync(tls, TimeProvider.System, cancellationToken)).ExpireTime;
            var day = end.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            return new("certificate", $"good until {day}", end - TimeProvider.System.GetUtcNow() > RenewBefore ? [] :
                [$"The certificate {tls.CertificateFile} ends on {day}: renew it; the server takes the new files without a restart."]);
        }
        catch (Refusal refusal)
        {
            return new("certificate", "", [refusal.Message]);
        }
    }

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 => (bytes / (double)(1L << 30)).ToString("0.0 GiB", CultureInfo.InvariantCulture),
        _ => (bytes / (double)(1L << 20)).ToString("0.0 MiB", CultureInfo.InvariantCulture),
    };
}
