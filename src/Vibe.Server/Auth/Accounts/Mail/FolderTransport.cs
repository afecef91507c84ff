using System.Net.Mail;

namespace Vibe.Server.Auth.Accounts.Mail;

/// <summary>Writes mails into a folder, for development and tests: one .eml file each, in order of time, for the owner's eyes only.</summary>
internal sealed class FolderTransport(string folder, TimeProvider time) : IMailTransport
{
    private int _sent;

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <inheritdoc/>
    public async Task SendAsync(MailMessage mail, CancellationToken cancellationToken)
    {
        // The client writes a name of its own choice: into an empty folder, so that it is found.
        var (mode, made) = (UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, Path.Combine(folder, $".{Guid.NewGuid():N}"));
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(made);
        }
        else
        {
            Directory.CreateDirectory(folder, mode);
            Directory.CreateDirectory(made, mode);
        }

        using var client = new SmtpClient { DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory, PickupDirectoryLocation = Path.GetFullPath(made) };
        await client.SendMailAsync(mail, cancellationToken);
        File.Move(Directory.GetFiles(made).Single(), Path.Combine(folder, $"{time.GetUtcNow().UtcTicks:D19}-{Interlocked.Increment(ref _sent):D6}.eml"));
        Directory.Delete(made);
    }
}
