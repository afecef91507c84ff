using System.Net.Mail;
using System.Text;
using System.Threading.Channels;

namespace Vibe.Server.Auth.Accounts.Mail;

/// <summary>
/// Sends mails beside the requests: how long a request takes does not tell whether one was sent. A mail that is not taken is
/// tried three times; what a stopping server has not sent by then is lost, and people ask again.
/// </summary>
internal sealed class MailQueue(IMailTransport transport, MailOptions options, AuthOptions auth, TimeProvider time, ILogger<MailQueue> log)
    : BackgroundService
{
    private const int Capacity = 1_000;
    private const int Tries = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Channel<Letter> _letters = Channel.CreateBounded<Letter>(Capacity);

    /// <summary>Takes a mail. When far too many wait it is dropped, which the log tells.</summary>
    public void Send(Letter letter)
    {
        if (!_letters.Writer.TryWrite(letter))
        {
            AccountLog.MailDropped(log);
            AuthMeters.Mails.Add(1, AuthMeters.Outcome("dropped"));
        }
    }

    /// <summary>How many wait to be sent.</summary>
    public int Count => _letters.Reader.Count;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var letter in _letters.Reader.ReadAllAsync(stoppingToken))
            {
                await SendAsync(letter, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task SendAsync(Letter letter, CancellationToken stoppingToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var mail = Compose(letter);
                await transport.SendAsync(mail, stoppingToken);
                AuthMeters.Mails.Add(1, AuthMeters.Outcome("sent"));
                return;
            }
            catch (Exception exception) when (exception is SmtpException or IOException or UnauthorizedAccessException)
            {
                // The exception may name the address; its kind says enough.
                AccountLog.MailFailed(log, attempt, exception is SmtpException smtp ? smtp.StatusCode.ToString() : exception.GetType().Name);
            }

            if (attempt == Tries)
            {
                AuthMeters.Mails.Add(1, AuthMeters.Outcome("failed"));
                return;
            }

            await Task.Delay(Pause, time, stoppingToken);
        }
    }

    private MailMessage Compose(Letter letter)
    {
        var from = options.From.Length > 0 ? options.From : $"no-reply@{new Uri(auth.Issuer).Host}";
        var mail = new MailMessage(new MailAddress(from, "Vibe"), new MailAddress(letter.To))
        {
            Subject = letter.Subject,
            SubjectEncoding = Encoding.UTF8,
            Body = letter.Text,
            BodyEncoding = Encoding.UTF8,
        };

        // RFC 3834: nobody's absence notice should answer.
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        return mail;
    }
}
