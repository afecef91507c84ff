using System.Diagnostics.Metrics;
using Vibe.Server.Auth.Accounts.Mail;
using Vibe.Server.Auth.Revocations;

namespace Vibe.Server.Auth;

/// <summary>What there is of revocations and mails at this moment, looked at when somebody asks.</summary>
internal sealed class AuthGauges : IDisposable
{
    private readonly Meter _meter;

    public AuthGauges(IMeterFactory meters, RevocationReader revocations, MailQueue mails)
    {
        _meter = meters.Create(AuthMeters.Name);
        _meter.CreateObservableGauge(
            "vibe.auth.revocation.age", () => revocations.Age.TotalSeconds, "s", "Time since this node last read what was revoked elsewhere.");
        _meter.CreateObservableUpDownCounter("vibe.mail.waiting", () => mails.Count, "{mail}", "Mails that wait to be sent.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
