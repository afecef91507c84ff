namespace Vibe.Server.Auth.Accounts.Mail;

/// <summary>How mail is sent, from <c>Vibe:Mail</c>.</summary>
internal sealed record MailOptions
{
    /// <summary>The SMTP server. Empty (default): mails are written as .eml files into <see cref="Folder"/>.</summary>
    public string Host { get; init; } = "";

    /// <summary>Its port. Default 587, with STARTTLS.</summary>
    public int Port { get; init; } = 587;

    /// <summary>Whether the connection must be encrypted with STARTTLS. Default: yes.</summary>
    public bool Tls { get; init; } = true;

    /// <summary>Who signs in there; empty for nobody.</summary>
    public string UserName { get; init; } = "";

    /// <summary>The password.</summary>
    public string Password { get; init; } = "";

    /// <summary>The sender. Default <c>no-reply@</c> and the server's host.</summary>
    public string From { get; init; } = "";

    /// <summary>Where mails are written without an SMTP server. Default <c>mail</c> in the data directory.</summary>
    public string Folder { get; init; } = "";
}
