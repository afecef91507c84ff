namespace Vibe.Server.Auth.Accounts.Mail;

/// <summary>A mail to one person, as plain text.</summary>
/// <param name="To">The address.</param>
/// <param name="Subject">One line.</param>
/// <param name="Text">The body.</param>
internal sealed record Letter(string To, string Subject, string Text);
