using System.Net.Mail;

namespace Vibe.Server.Auth.Accounts.Mail;

/// <summary>Where mails go.</summary>
internal interface IMailTransport
{
    /// <summary>Hands a mail over.</summary>
    /// <exception cref="SmtpException">It was not taken.</exception>
    /// <exception cref="IOException">It could not be written.</exception>
    Task SendAsync(MailMessage mail, CancellationToken cancellationToken);
}
