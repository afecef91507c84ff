using System.Diagnostics.Metrics;
using Vibe.Server.Auth.Accounts;

namespace Vibe.Server.Auth;

/// <summary>What is counted of accounts and sign-ins. Labels are few and fixed: never a person, an app or an address.</summary>
internal static class AuthMeters
{
    /// <summary>The name of the meter.</summary>
    public const string Name = "Vibe.Auth";

    private static readonly Meter Meter = new(Name);

    /// <summary>People who signed in on the hosted pages.</summary>
    public static readonly Counter<long> SignIns = Meter.CreateCounter<long>(
        "vibe.auth.sign_ins", "{sign-in}", "Sign-ins on the hosted pages, by method as RFC 8176 names it.");

    /// <summary>Requests of the hosted pages and of OAuth clients that were refused.</summary>
    private static readonly Counter<long> Refusals = Meter.CreateCounter<long>(
        "vibe.auth.refusals", "{request}", "Requests of the hosted pages and at the OAuth endpoints that were refused, by path and reason.");

    /// <summary>From a revocation until this node knows of it.</summary>
    public static readonly Histogram<double> RevocationDelay = Meter.CreateHistogram(
        "vibe.auth.revocation.delay", "s", "Time from a revocation elsewhere until this node enforces it, by the clocks of node and database.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 5, 30] });

    /// <summary>Mails.</summary>
    public static readonly Counter<long> Mails = Meter.CreateCounter<long>(
        "vibe.mails", "{mail}", "Mails by what became of them: sent, failed after all tries, dropped because too many waited.");

    /// <summary>Counts a request that was refused.</summary>
    /// <param name="http">The request; its route is the label, never its address.</param>
    /// <param name="reason">A name of the contract, or an error code of OAuth.</param>
    public static void Refused(HttpContext http, string reason) => Refusals.Add(
        1, new("http.route", (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText), new("vibe.reason", reason));

    /// <summary>The label of a sign-in.</summary>
    public static KeyValuePair<string, object?> Method(string method) => new("vibe.method", method);

    /// <summary>The label of a mail.</summary>
    public static KeyValuePair<string, object?> Outcome(string outcome) => new("vibe.outcome", outcome);

    /// <summary>Begins the counts, so that what has not happened yet is a zero and not absent.</summary>
    public static void Zero()
    {
        foreach (var method in (string[])[AuthMethod.Password, AuthMethod.DeviceKey, AuthMethod.SyncedKey, AuthMethod.Mail, AuthMethod.RecoveryCode])
        {
            SignIns.Add(0, Method(method));
        }

        foreach (var outcome in (string[])["sent", "failed", "dropped"])
        {
            Mails.Add(0, Outcome(outcome));
        }
    }
}
