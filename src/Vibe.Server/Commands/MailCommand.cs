using System.CommandLine;

namespace Vibe.Server.Commands;

/// <summary><c>vibe mail</c>.</summary>
internal static class MailCommand
{
    public static Command Create()
    {
        var data = DataOption.Create();
        var count = new Option<int>("--last") { Description = "How many.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var command = new Command("mail", "Print the latest mails that a server without an SMTP server wrote into the data directory.") { data, count };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var folder = new DirectoryInfo(Path.Combine(parsed.GetValue(data)!.FullName, "mail"));
            FileInfo[] mails = folder.Exists ? folder.GetFiles("*.eml") : [];
            foreach (var mail in mails.OrderBy(static mail => mail.Name, StringComparer.Ordinal).TakeLast(Math.Max(1, parsed.GetValue(count))))
            {
                Console.WriteLine(MailText.Read(await File.ReadAllTextAsync(mail.FullName, cancellationToken)));
            }

            if (mails.Length == 0)
            {
                Console.WriteLine($"No mail was written to {folder.FullName}.");
            }

            return 0;
        });
        return command;
    }
}
