using System.Net;
using System.Net.Mail;

namespace Vibe.Server.Auth.Accounts.Mail;

/// <summary>Sends through an SMTP server, one connection for each mail.</summary>
internal sealed class SmtpTransport(MailOptions options) : IMailTransport
{
    private const int TimeoutMilliseconds = 30_000;

    /// <inheritdoc/>
    public async Task SendAsync(MailMessage mail, CancellationToken cancellationToken)
    {
        using var client = new SmtpClient(options.Host, options.Port) { EnableSsl = options.Tls, Timeout = TimeoutMilliseconds };
        if (options.UserName.Length > 0)
        {
            client.Credentials = new NetworkCredential(options.UserName, options.Password);
        }

        await client.SendMailAsync(mail, cancellationToken);
    }
}
